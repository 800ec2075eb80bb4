"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";
import { useState } from "react";
import { catalogue } from "@/lib/catalogue";
import { chat, chats, newChat, openChat, removeChat } from "@/lib/chat";
import type { ChatEntry } from "@/lib/history";
import { useText } from "@/lib/i18n";
import { signOut } from "@/lib/key";
import { useStore } from "@/lib/store";
import { BlocksIcon, LogoIcon, PlusIcon, TrashIcon } from "../ui/icons";
import { drawer } from "./drawer";
import { Preferences } from "./preferences";
import { Providers } from "./providers";

export function Sidebar() {
  const { t } = useText();
  const path = usePathname();
  const { overview } = useStore(catalogue);
  return (
    <div className="flex h-full flex-col">
      <div className="space-y-4 px-3 pt-4 pb-3">
        <Link href="/" prefetch={false} className="flex w-fit items-center gap-2.5 rounded-lg px-2 text-[1.0625rem] font-semibold tracking-tight">
          <LogoIcon /> Venom
        </Link>
        <Link
          href="/" prefetch={false}
          className="button w-full"
          onClick={() => {
            newChat();
            drawer.set(false);
          }}
        >
          <PlusIcon /> {t.new_chat}
        </Link>
      </div>
      <nav aria-label={t.chats} className="min-h-0 flex-1 overflow-y-auto px-3 py-1">
        <ChatList />
      </nav>
      <div className="space-y-3 border-t border-line px-3 py-3">
        <Providers />
        <Link
          href="/plugins" prefetch={false}
          aria-current={path === "/plugins" ? "page" : undefined}
          className="flex items-center gap-2.5 rounded-lg px-2 py-1.5 text-sm text-soft hover:bg-hover hover:text-ink aria-[current]:bg-hover aria-[current]:text-ink"
        >
          <BlocksIcon /> {t.plugins}
        </Link>
        <Preferences />
        {overview?.key_required && (
          <button type="button" className="px-2 text-left text-sm text-soft hover:text-ink" onClick={() => void signOut()}>
            {t.sign_out}
          </button>
        )}
        {overview && <p className="px-2 text-xs text-soft">{t.version(overview.version)}</p>}
      </div>
    </div>
  );
}

function ChatList() {
  const { t } = useText();
  const entries = useStore(chats);
  if (entries.length === 0) return <p className="px-2 py-1 text-sm leading-relaxed text-soft">{t.no_chats}</p>;
  return (
    <ul className="space-y-0.5">
      {entries.map((entry) => (
        <ChatItem key={entry.id} entry={entry} />
      ))}
    </ul>
  );
}

function ChatItem({ entry }: { entry: ChatEntry }) {
  const { t } = useText();
  const path = usePathname();
  const current = useStore(chat).id === entry.id && path === "/";
  const [sure, setSure] = useState(false);
  const title = entry.title || t.untitled;
  return (
    <li className="group relative flex items-center">
      <Link
        href="/" prefetch={false}
        title={title}
        aria-current={current ? "page" : undefined}
        className="min-w-0 flex-1 truncate rounded-lg py-1.5 pr-9 pl-2 text-sm text-soft hover:bg-hover hover:text-ink aria-[current]:bg-hover aria-[current]:font-medium aria-[current]:text-ink"
        onClick={() => {
          openChat(entry.id);
          drawer.set(false);
        }}
      >
        {title}
      </Link>
      <button
        type="button"
        aria-label={t.delete_chat(title)}
        className={`absolute right-1 flex items-center rounded-md p-1.5 text-xs ${sure ? "bg-danger-wash font-medium text-danger" : "text-soft hover:text-ink md:opacity-0 md:group-hover:opacity-100 md:focus-visible:opacity-100"}`}
        onClick={() => (sure ? removeChat(entry.id) : setSure(true))}
        onBlur={() => setSure(false)}
        onPointerLeave={() => setSure(false)}
      >
        {sure ? t.delete_sure : <TrashIcon />}
      </button>
    </li>
  );
}
