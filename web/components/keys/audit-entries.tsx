"use client";

import { useMemo } from "react";
import { differencesOf, sentenceOf, timesOf, type AuditEntry } from "@/lib/audit";
import { makeDates } from "@/lib/dates";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/audit";
import type { KeyView } from "./keys-page";

/** Changes in words, each with what it was before and after. */
export function AuditEntries({ entries, keys }: { entries: readonly AuditEntry[]; keys: readonly KeyView[] }) {
  const { t, lang } = useArea(texts);
  const dates = useMemo(() => makeDates(lang), [lang]);
  const named = (id: string) => keys.find((key) => key.id === id)?.name ?? id;
  const who = (id: string | null) => {
    if (id === null) return t.by_nobody;
    if (id === "local") return t.by_local;
    if (id.startsWith("file-")) return `${t.by_file} (${id})`;
    return keys.find((key) => key.id === id)?.name ?? t.by_gone(id);
  };
  return (
    <ul className="card divide-y divide-line">
      {entries.map((entry, at) => {
        const sentence = sentenceOf(t, entry, /^(key|session|usage)\./.test(entry.action) ? named(entry.subject) : entry.subject);
        const counted = timesOf(entry);
        return (
          <li key={`${entry.at}-${at}`} className="space-y-1 p-4 text-sm">
            <p className="font-medium [overflow-wrap:anywhere]">{sentence}</p>
            <p className="text-xs text-soft">
              {[who(entry.key_id), dates.moment(entry.at), counted && t.times(counted.times, dates.moment(counted.last))].filter(Boolean).join(" · ")}
            </p>
            <Details entry={entry} sentence={sentence} />
          </li>
        );
      })}
    </ul>
  );
}

function Details({ entry, sentence }: { entry: AuditEntry; sentence: string }) {
  const { t } = useArea(texts);
  const changed = timesOf(entry) ? [] : differencesOf(entry);
  if (changed.length === 0 && entry.request_id === null) return null;
  return (
    <details className="text-xs">
      <summary aria-label={t.details_of(sentence)} className="w-fit text-soft hover:text-ink">{t.details}</summary>
      <div className="space-y-2 pt-2">
        {changed.length > 0 && (
          <div className="overflow-x-auto" tabIndex={0} role="region" aria-label={t.details_of(sentence)}>
            <table className="w-full text-left">
              <thead className="text-soft">
                <tr>{[t.field, t.before, t.after].map((name) => <th key={name} scope="col" className="py-1 pr-4 font-medium">{name}</th>)}</tr>
              </thead>
              <tbody>
                {changed.map((one) => (
                  <tr key={one.field} className="border-t border-line align-top">
                    <th scope="row" className="py-1 pr-4 font-mono font-normal">{one.field}</th>
                    <td className="max-w-60 py-1 pr-4 [overflow-wrap:anywhere]">{one.before ?? <span className="text-soft">{t.nothing}</span>}</td>
                    <td className="max-w-60 py-1 [overflow-wrap:anywhere]">{one.after ?? <span className="text-soft">{t.nothing}</span>}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        <p className="font-mono text-soft [overflow-wrap:anywhere]">{[entry.action, entry.request_id && t.request(entry.request_id)].filter(Boolean).join(" · ")}</p>
      </div>
    </details>
  );
}
