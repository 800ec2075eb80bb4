"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, asking } from "@/lib/api/client";
import type { Schemas } from "@/lib/api/types";
import { recordOf } from "@/lib/errors";
import { outdated } from "@/lib/queries";
import type { Setting, Value } from "@/lib/settings";
import { Answer } from "../ui/answer";
import { ErrorNote } from "../ui/error-note";
import { Modal } from "../ui/modal";
import { Pair } from "./review";
import { useWords } from "./words";

type Backup = Schemas["BackupView"];
type Change = Schemas["ConfigChange"];

const FEW = 5;

interface Props {
  settings: Setting[];
  onRestored: (done: Change) => void;
}

/** The settings of before: what would become otherwise is shown before one goes back. */
export function Backups({ settings, onRestored }: Props) {
  const { t, format, whenOf } = useWords();
  const query = useQuery(asking("/api/v1/config/backups", { query: { limit: 50 } }));
  const [shown, setShown] = useState(FEW);
  const [open, setOpen] = useState<Backup | null>(null);
  return (
    <section aria-labelledby="backups" className="space-y-3">
      <h2 id="backups" className="scroll-mt-4 text-lg font-semibold tracking-tight">{t.backups}</h2>
      <p className="text-sm text-soft">{t.backups_text}</p>
      <Answer query={query} isEmpty={(answer) => answer.backups.length === 0} empty={t.no_backups}>
        {({ backups }) => (
          <>
            <ul className="card divide-y divide-line">
              {backups.slice(0, shown).map((backup) => (
                <li key={backup.filename} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 px-4 py-3 sm:px-5">
                  <div className="min-w-0">
                    <p className="font-medium">{whenOf(backup.created_at)}</p>
                    <p className="text-xs text-soft [overflow-wrap:anywhere]">{backup.filename} · {t.size}: {format.bytes(backup.size_bytes)}</p>
                  </div>
                  <button type="button" className="button" aria-label={t.compare_of(whenOf(backup.created_at))} onClick={() => setOpen(backup)}>
                    {t.compare}
                  </button>
                </li>
              ))}
            </ul>
            {backups.length > shown && (
              <button type="button" className="button-quiet" onClick={() => setShown(backups.length)}>{t.older}</button>
            )}
          </>
        )}
      </Answer>
      {open && <Comparison backup={open} settings={settings} onClose={() => setOpen(null)} onRestored={onRestored} />}
    </section>
  );
}

interface ComparisonProps extends Props {
  backup: Backup;
  onClose: () => void;
}

function Comparison({ backup, settings, onClose, onRestored }: ComparisonProps) {
  const { t, labelOf, valueOf, whenOf } = useWords();
  const query = useQuery(asking("/api/v1/config/differences", { query: { backup_filename: backup.filename } }));
  const restore = useMutation({
    mutationFn: async () => (await api.POST("/api/v1/config/restore", { body: { backup_filename: backup.filename } })).data!,
    onSuccess: async (done) => {
      await outdated("/api/v1/config");
      onRestored(done);
      onClose();
    },
  });
  const presets = new Map(settings.map((one) => [one.key, one.form.default ?? null]));
  const valueAt = (key: string, value: unknown) => valueOf((value ?? presets.get(key) ?? null) as Value);
  return (
    <Modal title={t.restore_title(whenOf(backup.created_at))} onClose={onClose}>
      <Answer query={query} isEmpty={(answer) => answer.differences.length === 0} empty={t.no_differences}>
        {({ differences }) => (
          <>
            <p className="mb-4 text-sm text-soft">{t.restore_text}</p>
            <ul className="divide-y divide-line rounded-xl border border-line">
              {differences.map((one) => (
                <li key={one.key} className="space-y-1 px-4 py-3 text-sm">
                  <p className="font-medium">{labelOf(one)}</p>
                  <Pair before={valueAt(one.key, one.after)} after={valueAt(one.key, one.before)} />
                </li>
              ))}
            </ul>
            {restore.error && <div className="mt-4"><ErrorNote error={recordOf(restore.error)} /></div>}
            <div className="mt-5 flex flex-wrap justify-end gap-2">
              <button type="button" className="button" onClick={onClose}>{t.keep}</button>
              <button type="button" className="button-accent" data-first disabled={restore.isPending} onClick={() => restore.mutate()}>
                {restore.isPending ? `${t.restoring}…` : t.restore}
              </button>
            </div>
          </>
        )}
      </Answer>
    </Modal>
  );
}
