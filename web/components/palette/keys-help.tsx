"use client";

import { useState } from "react";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/palette";
import { modifierName } from "@/lib/shortcuts";
import { Modal } from "../ui/modal";

/** Every key that the page knows. */
export function KeysHelp({ onClose }: { onClose: () => void }) {
  const { t } = useArea(texts);
  const [mod] = useState(() => modifierName(navigator.platform));
  const keys: [string, string[]][] = [
    [t.key_find, [mod, "K"]],
    [t.key_new, [mod, "Shift", "O"]],
    [t.key_settings, [mod, "."]],
    [t.key_write, ["/"]],
    [t.key_send, ["Enter"]],
    [t.key_line, ["Shift", "Enter"]],
    [t.key_paste, [mod, "V"]],
    [t.key_stop, ["Esc"]],
    [t.key_help, ["?"]],
  ];
  return (
    <Modal title={t.keys_title} onClose={onClose}>
      <dl className="divide-y divide-line text-sm">
        {keys.map(([text, pressed]) => (
          <div key={text} className="flex items-center justify-between gap-4 py-2.5">
            <dt>{text}</dt>
            <dd className="flex shrink-0 gap-1">
              {pressed.map((key) => <kbd key={key} className="min-w-7 rounded-md border border-edge bg-sunken px-2 py-0.5 text-center font-sans text-xs">{key}</kbd>)}
            </dd>
          </div>
        ))}
      </dl>
      <p className="pt-4 text-xs text-soft">{t.not_in_fields}</p>
    </Modal>
  );
}
