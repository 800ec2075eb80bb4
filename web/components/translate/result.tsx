"use client";

import { useId } from "react";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/translate";
import { segments, type Progress, type Translated } from "@/lib/translation";
import { CopyButton } from "../ui/copy-button";
import { ErrorNote } from "../ui/error-note";

interface Props {
  now: Progress;
  target: Translated;
  onAnew: () => void;
}

/** The right pane: the translation as it comes, with what stays as it is marked. */
export function Result({ now, target, onAnew }: Props) {
  const { t } = useArea(texts);
  const id = useId();
  const busy = now.status === "asked" || now.status === "writing";
  const parts = [...new Set(now.kept)];
  return (
    <section aria-labelledby={id} className="card flex min-h-72 flex-col p-4">
      <div className="flex min-h-8 items-center justify-between gap-2">
        <h2 id={id} className="text-sm font-medium">{t.result}</h2>
        {now.status === "done" && now.text !== "" && <CopyButton text={now.text} label={t.copy} wordy />}
      </div>
      <div data-testid="translation" aria-busy={busy} lang={now.text === "" ? undefined : target} className="flex-1 py-2 whitespace-pre-wrap [overflow-wrap:anywhere]">
        {now.text === "" && now.status === "idle" && <p className="text-soft">{t.result_placeholder}</p>}
        {segments(now.text, now.kept).map((one, at) => (one.kept ? <mark key={at} className="rounded bg-accent-wash px-0.5 text-accent">{one.text}</mark> : one.text))}
        {busy && <span className="caret" aria-hidden="true" />}
      </div>
      {now.error && <ErrorNote error={now.error} />}
      {parts.length > 0 && (
        <div className="space-y-1 pb-3 text-xs text-soft">
          <p>{t.kept}</p>
          <ul className="flex max-h-24 flex-wrap gap-1 overflow-y-auto">
            {parts.map((part) => <li key={part} className="max-w-full truncate rounded bg-accent-wash px-1.5 py-0.5 font-mono text-accent">{part}</li>)}
          </ul>
        </div>
      )}
      <div className="flex min-h-12 flex-wrap items-center gap-x-3 border-t border-line pt-3 text-xs text-soft">
        <p role="status"><Said now={now} /></p>
        {now.status === "done" && now.cached && <button type="button" className="button-quiet text-xs" onClick={onAnew}>{t.anew}</button>}
      </div>
    </section>
  );
}

function Said({ now }: { now: Progress }) {
  const { t } = useArea(texts);
  if (now.status === "asked") return `${t.asked}…`;
  if (now.status === "writing") return now.again ? t.again : t.writing;
  if (now.status === "stopped") return t.stopped;
  if (now.status !== "done") return null;
  return [t.done, now.model === null ? t.by_nobody : t.by(now.model), now.cached && t.cached].filter(Boolean).join(" ");
}
