"use client";

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { asking } from "@/lib/api/client";
import { KINDS } from "@/lib/audit";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/audit";
import { Answer } from "../ui/answer";
import { Choice } from "../ui/choice";
import { Section } from "../ui/section";
import { AuditEntries } from "./audit-entries";
import type { KeyView } from "./keys-page";

const PAGE = 25;
const ALL = { action: "", key: "*", since: "", until: "" };

/** Who changed what, a page at a time, narrowed to what is looked for. */
export function AuditTrail({ keys }: { keys: readonly KeyView[] }) {
  const { t } = useArea(texts);
  const [wanted, setWanted] = useState(ALL);
  const [cursors, setCursors] = useState<readonly number[]>([]);
  const narrowed = Object.keys(ALL).some((name) => wanted[name as keyof typeof ALL] !== ALL[name as keyof typeof ALL]);
  const narrow = (change: Partial<typeof ALL>) => {
    setWanted({ ...wanted, ...change });
    setCursors([]);
  };
  const query = useQuery({
    ...asking("/api/v1/audit", {
      query: {
        limit: PAGE,
        cursor: cursors.at(-1),
        action: wanted.action || undefined,
        key: wanted.key === "*" ? undefined : wanted.key,
        since: wanted.since || undefined,
        until: wanted.until || undefined,
      },
    }),
    // The page before stays until the next one is there.
    placeholderData: keepPreviousData,
  });
  const next = query.data?.next_cursor;
  const people = [["*", t.everybody], ["local", t.by_local], ["", t.by_nobody], ...keys.map((key) => [key.id, key.name])] as [string, string][];
  return (
    <Section title={t.title} intro={t.text}>
      <div className="flex flex-wrap items-end gap-3">
        <Choice label={t.what} value={wanted.action} options={[["", t.everything], ...KINDS.map((kind) => [kind, t[`kind_${kind}`]] as [string, string])]} onChoose={(action) => narrow({ action })} className="flex-1 basis-40" />
        <Choice label={t.who} value={wanted.key} options={people} onChoose={(key) => narrow({ key })} className="flex-1 basis-40" />
        {(["since", "until"] as const).map((name) => (
          <label key={name} className="block flex-1 basis-32 space-y-1 text-xs text-soft">
            <span className="block">{name === "since" ? t.from : t.to}</span>
            <input type="date" className="field text-ink" value={wanted[name]} onChange={(event) => narrow({ [name]: event.target.value })} />
          </label>
        ))}
        {narrowed && <button type="button" className="button" onClick={() => narrow(ALL)}>{t.clear}</button>}
      </div>
      <Answer query={query} isEmpty={(answer) => answer.entries.length === 0} empty={narrowed ? t.none_found : t.none}>
        {(answer) => <AuditEntries entries={answer.entries} keys={keys} />}
      </Answer>
      {(cursors.length > 0 || next) && (
        <div className="flex justify-between gap-2">
          <button type="button" className="button" disabled={cursors.length === 0} onClick={() => setCursors(cursors.slice(0, -1))}>{t.newer}</button>
          <button type="button" className="button" disabled={!next} onClick={() => next && setCursors([...cursors, Number(next)])}>{t.older}</button>
        </div>
      )}
    </Section>
  );
}
