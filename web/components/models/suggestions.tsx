"use client";

import { useText } from "@/lib/i18n";
import { cancelPull, pulls, startPull, type Pull } from "@/lib/pulls";
import { useStore } from "@/lib/store";
import type { Overview, Suggestion } from "@/lib/api/types";
import { ErrorNote } from "../ui/error-note";
import { DownloadIcon } from "../ui/icons";
import { CommandLine, Fix } from "../ui/sentence";

/** Models worth getting: size, whether they fit this machine, and one way to get each. */
export function Suggestions({ overview }: { overview: Overview }) {
  const { t, format } = useText();
  const { machine } = overview;
  // What a click can get comes first; the server's order otherwise.
  const suggestions = overview.suggestions.toSorted((a, b) => Number(b.available) - Number(a.available));
  const memory = t.memory(format.bytes(machine.memory_available_bytes), format.bytes(machine.memory_total_bytes));
  return (
    <div className="space-y-2.5">
      <p className="text-sm text-soft">{memory}</p>
      <ul className="space-y-2.5">
        {suggestions.map((suggestion, at) => (
          <li key={suggestion.name}>
            <Card suggestion={suggestion} reasonSaid={suggestion.reason === suggestions[at - 1]?.reason} />
          </li>
        ))}
      </ul>
    </div>
  );
}

interface CardProps {
  suggestion: Suggestion;
  /** The card above gives the same reason. */
  reasonSaid: boolean;
}

function Card({ suggestion, reasonSaid }: CardProps) {
  const { t, format } = useText();
  const pull = useStore(pulls)[suggestion.name];
  const { name, title, size_bytes, terms_url } = suggestion;
  const idle = !pull || ["paused", "cancelled", "failed"].includes(pull.phase);
  return (
    <article aria-label={title || name} className="card space-y-3 px-4 py-3.5">
      <div className="flex items-start justify-between gap-4">
        <div className="min-w-0 space-y-0.5">
          <h3 className="font-medium [overflow-wrap:anywhere]">{title || name}</h3>
          <p className="flex flex-wrap gap-x-1.5 text-sm text-soft">
            <span>{suggestion.provider}</span>
            <span aria-hidden="true">·</span>
            <span>{size_bytes === null ? t.fits_unknown : format.bytes(size_bytes)}</span>
            <Fits suggestion={suggestion} />
            {terms_url && (
              <>
                <span aria-hidden="true">·</span>
                <a href={terms_url} target="_blank" rel="noreferrer noopener" className="underline underline-offset-2 hover:text-ink">
                  {t.terms}
                </a>
              </>
            )}
          </p>
          {suggestion.summary && <p className="text-sm leading-relaxed text-soft">{suggestion.summary}</p>}
        </div>
        {suggestion.available && idle && (
          <button type="button" className="button-accent shrink-0" aria-label={t.pull_model(title || name)} onClick={() => void startPull(name)}>
            <DownloadIcon /> {t.pull}
          </button>
        )}
      </div>
      {pull && <Progress name={name} pull={pull} />}
      {!suggestion.available && !pull && (
        <div className="space-y-2 text-sm">
          {suggestion.reason && !reasonSaid && <div className="text-soft"><Fix fix={suggestion.reason} /></div>}
          <CommandLine command={suggestion.command} />
        </div>
      )}
    </article>
  );
}

function Fits({ suggestion: { fits, fit_message } }: { suggestion: Suggestion }) {
  const { t } = useText();
  if (fits === null) return null;
  return (
    <>
      <span aria-hidden="true">·</span>
      <span className={fits ? "text-accent" : "text-warn"} title={fit_message ?? undefined}>
        {fits ? t.fits : t.fits_not}
      </span>
    </>
  );
}

function Progress({ name, pull }: { name: string; pull: Pull }) {
  const { t, format } = useText();
  if (pull.phase === "failed" && pull.error) return <ErrorNote error={pull.error} />;
  if (pull.phase === "paused") return <p role="status" className="text-sm text-soft">{t.pull_paused}</p>;
  if (pull.phase === "cancelled") return <p role="status" className="text-sm text-soft">{t.pull_cancelled}</p>;
  if (pull.phase === "completed") return <p role="status" className="text-sm font-medium text-accent">{t.pull_done}</p>;
  const known = pull.bytesTotal !== null && pull.bytesTotal > 0;
  const amount = known ? t.pull_of(format.bytes(pull.bytesDone), format.bytes(pull.bytesTotal ?? 0)) : null;
  return (
    <div className="space-y-2">
      <progress className="meter" max={100} value={pull.progress} aria-label={t.pull_progress(name)} />
      <div className="flex items-center justify-between gap-3 text-sm text-soft">
        <p className="min-w-0 truncate tabular-nums" title={pull.message}>{amount ?? (pull.message || `${t.pull_starting}…`)}</p>
        <button type="button" className="button" aria-label={t.pull_cancel(name)} onClick={() => void cancelPull(name)}>
          {t.cancel}
        </button>
      </div>
    </div>
  );
}
