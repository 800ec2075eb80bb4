"use client";

import type { Change } from "@/lib/settings";
import { Modal } from "../ui/modal";
import { useWords } from "./words";

interface Props {
  changes: Change[];
  saving: boolean;
  onSave: () => void;
  onClose: () => void;
}

/** Every change at a glance before any is made. */
export function Review({ changes, saving, onSave, onClose }: Props) {
  const { t, labelOf, valueOf } = useWords();
  const after = ({ setting, value }: Change) => {
    if (setting.secret) return value === null ? t.removed_secret : t.changed_secret;
    return value === null && setting.form.default === undefined ? t.default_value : valueOf(value ?? setting.form.default ?? null);
  };
  return (
    <Modal title={t.review_title} onClose={onClose}>
      <p className="mb-4 text-sm text-soft">{t.review_text}</p>
      <ul className="divide-y divide-line rounded-xl border border-line">
        {changes.map((change) => (
          <li key={change.setting.name} className="space-y-1 px-4 py-3 text-sm">
            <div className="flex flex-wrap items-baseline justify-between gap-x-4">
              <span className="font-medium">{labelOf(change.setting)}</span>
              <span className={`text-xs ${change.setting.restart ? "text-warn" : "text-soft"}`}>
                {t.when}: {change.setting.restart ? t.restart : t.at_once}
              </span>
            </div>
            <Pair before={change.setting.secret ? (change.setting.value === null ? t.not_set : t.is_set) : valueOf(change.setting.value)} after={after(change)} />
          </li>
        ))}
      </ul>
      <div className="mt-5 flex flex-wrap justify-end gap-2">
        <button type="button" className="button" onClick={onClose}>{t.keep}</button>
        <button type="button" className="button-accent" data-first disabled={saving} onClick={onSave}>
          {saving ? `${t.saving}…` : t.save}
        </button>
      </div>
    </Modal>
  );
}

/** A value as it is and as it becomes. */
export function Pair({ before, after }: { before: string; after: string }) {
  const { t } = useWords();
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 gap-y-0.5 [overflow-wrap:anywhere]">
      <dt className="text-soft">{t.before}</dt>
      <dd className="whitespace-pre-wrap text-soft">{before}</dd>
      <dt className="text-soft">{t.after}</dt>
      <dd className="whitespace-pre-wrap">{after}</dd>
    </dl>
  );
}
