"use client";

import { dayBefore } from "@/lib/dates";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/usage";
import type { Span } from "@/lib/usage";
import { Choice } from "../ui/choice";

const DAYS = [7, 30, 90, 365];
const OWN = "own";

/** The days that are looked at. */
export function SpanChoice({ span, onChoose }: { span: Span; onChoose: (span: Span) => void }) {
  const { t } = useArea(texts);
  const choose = (value: string) => {
    if (value !== OWN) return onChoose({ ...span, days: Number(value) });
    onChoose({ days: null, since: span.since || dayBefore((span.days ?? 30) - 1), until: span.until || dayBefore(0) });
  };
  return (
    <div className="flex flex-wrap items-end gap-3">
      <Choice
        label={t.range} value={span.days === null ? OWN : String(span.days)} onChoose={choose} className="flex-1 basis-44 sm:max-w-60"
        options={[...DAYS.map((days) => [String(days), t.last_days(days)] as const), [OWN, t.own_range]]}
      />
      {span.days === null && (["since", "until"] as const).map((name) => (
        <label key={name} className="block flex-1 basis-36 space-y-1 text-xs text-soft sm:max-w-48">
          <span className="block">{name === "since" ? t.from : t.to}</span>
          <input type="date" className="field text-ink" value={span[name]} onChange={(event) => onChoose({ ...span, [name]: event.target.value })} />
        </label>
      ))}
    </div>
  );
}
