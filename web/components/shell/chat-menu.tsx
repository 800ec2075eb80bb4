"use client";

import { Menu } from "@base-ui/react/menu";
import { exportHref } from "@/lib/api/sessions";
import type { ChatEntry } from "@/lib/chats";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/chats";
import { pinChat } from "@/lib/pinning";
import { DownloadIcon, MoreIcon, PinIcon } from "../ui/icons";

interface Props {
  entry: ChatEntry;
  label: string;
  className: string;
}

const ITEM = "flex w-full items-center gap-2.5 rounded-lg px-3 py-2 text-sm outline-none data-highlighted:bg-hover";

/** What else can be done with a conversation; opens at once, since a click brought it here. */
export function ChatMenu({ entry, label, className }: Props) {
  const { t } = useArea(texts);
  return (
    <Menu.Root defaultOpen>
      <Menu.Trigger className={className} aria-label={label} title={label}><MoreIcon /></Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner sideOffset={4} align="end" className="z-50">
          <Menu.Popup className="min-w-52 rounded-xl border border-line bg-page p-1 text-ink shadow-lg outline-none">
            <Menu.Item className={ITEM} onClick={() => void pinChat(entry.id, !entry.pinned)}>
              <PinIcon /> {entry.pinned ? t.unpin : t.pin}
            </Menu.Item>
            <Menu.Item className={ITEM} render={<a href={exportHref(entry.id, "markdown")} download />}>
              <DownloadIcon /> {t.export_markdown}
            </Menu.Item>
            <Menu.Item className={ITEM} render={<a href={exportHref(entry.id, "json")} download />}>
              <DownloadIcon /> {t.export_json}
            </Menu.Item>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
