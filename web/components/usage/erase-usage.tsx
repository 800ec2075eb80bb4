"use client";

import { recordOf } from "@/lib/errors";
import { useText } from "@/lib/i18n";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/usage";
import { ErrorNote } from "../ui/error-note";
import { Modal } from "../ui/modal";

interface Props {
  name: string;
  busy: boolean;
  error: unknown;
  onErase: () => void;
  onClose: () => void;
}

/** Asks before what was counted is forgotten. */
export function EraseUsage({ name, busy, error, onErase, onClose }: Props) {
  const { t } = useArea(texts);
  const { t: shared } = useText();
  return (
    <Modal title={t.erase_of(name)} onClose={onClose}>
      <div className="space-y-4 text-sm">
        <p className="leading-relaxed">{t.erase_text}</p>
        <p className="text-soft">{t.erase_kept}</p>
        {error !== null && error !== undefined && <ErrorNote error={recordOf(error)} />}
        <div className="flex justify-end gap-2">
          <button type="button" className="button" data-first onClick={onClose}>{shared.cancel}</button>
          <button type="button" className="button text-danger" disabled={busy} onClick={onErase}>{t.erase_sure}</button>
        </div>
      </div>
    </Modal>
  );
}
