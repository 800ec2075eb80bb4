"use client";

import { Menu } from "@base-ui/react/menu";
import type { ReactNode } from "react";
import { canChat, catalogue } from "@/lib/catalogue";
import { useText } from "@/lib/i18n";
import { useArea } from "@/lib/i18n/area";
import answers from "@/lib/i18n/areas/answers";
import { useStore } from "@/lib/store";

interface Props {
  label: string;
  icon: ReactNode;
  /** The reference of the model that is not offered: it has answered. */
  but?: string;
  onChoose: (model: string) => void;
}

/** A button that lets one choose another model for one question; what is chosen for the next ones stays. */
export function ModelMenu({ label, icon, but, onChoose }: Props) {
  const { t: common } = useText();
  const { t } = useArea(answers);
  const { models } = useStore(catalogue);
  const others = (models ?? []).filter((model) => canChat(model) && model.reference !== but);
  return (
    <Menu.Root>
      <Menu.Trigger className="button-quiet data-popup-open:bg-hover" aria-label={label} title={label}>
        {icon}
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner align="start" sideOffset={4} className="z-40 outline-none">
          <Menu.Popup aria-label={t.models} className="max-h-[min(22rem,var(--available-height))] w-[min(22rem,calc(100vw-1.5rem))] overflow-y-auto rounded-xl border border-line bg-raised p-1.5 shadow-xl outline-none">
            {others.length === 0 && <p className="px-2.5 py-2 text-sm text-soft">{t.no_other_model}</p>}
            {others.map((model) => (
              <Menu.Item key={model.id} className="cursor-pointer rounded-lg px-2.5 py-2 text-sm outline-none data-highlighted:bg-hover" onClick={() => onChoose(model.id)}>
                <span className="block font-medium [overflow-wrap:anywhere]">{model.id}</span>
                <span className="block text-xs text-soft">{model.runs_at ? common.runs_at(model.runs_at) : model.provider}</span>
              </Menu.Item>
            ))}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
