"use client";

import type { ModelRecord } from "@/lib/api/types";
import { useText } from "@/lib/i18n";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/models";
import { TrashIcon } from "../ui/icons";
import { Modal } from "../ui/modal";

interface Props {
  model: ModelRecord;
  onRemove: () => void;
  onClose: () => void;
}

/** Says what a removal frees, and asks. */
export function RemoveModel({ model, onRemove, onClose }: Props) {
  const { t, format } = useArea(texts);
  const { t: shared } = useText();
  const frees = model.size_bytes === null ? t.remove_frees_unknown : t.remove_frees(format.bytes(model.size_bytes));
  return (
    <Modal title={t.remove_title(model.id)} onClose={onClose}>
      <div className="space-y-4">
        <p className="font-medium">{frees}</p>
        <p className="text-sm leading-relaxed text-soft">{t.remove_shared}</p>
        {model.path && <p className="font-mono text-[0.8125rem] [overflow-wrap:anywhere] text-soft">{model.path}</p>}
        <div className="flex flex-wrap justify-end gap-2 pt-2">
          <button type="button" className="button" data-first onClick={onClose}>{shared.cancel}</button>
          <button type="button" className="button border-danger-line text-danger" onClick={onRemove}><TrashIcon /> {t.remove_sure}</button>
        </div>
      </div>
    </Modal>
  );
}
