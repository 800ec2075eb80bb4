"use client";

import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/usage";
import type { Summary } from "@/lib/usage";
import { Section } from "../ui/section";

/** The sums of the whole time, and why something came to nothing. */
export function Totals({ totals }: { totals: Summary["totals"] }) {
  const { t, format } = useArea(texts);
  const figures: [string, string][] = [
    [t.requests, format.count(totals.requests)],
    [t.refused, format.count(totals.refused)],
    [t.failed, format.count(totals.failed)],
    [t.prompt_tokens, format.count(totals.prompt_tokens)],
    [t.completion_tokens, format.count(totals.completion_tokens + totals.estimated_tokens)],
    [t.first_token, totals.time_to_first_token_ms === null ? t.unknown : format.duration(totals.time_to_first_token_ms)],
    [t.speed, totals.tokens_per_second === null ? t.unknown : format.rate(totals.tokens_per_second)],
  ];
  const errors = Object.entries(totals.errors).sort(([, one], [, other]) => other - one);
  return (
    <Section title={t.totals}>
      <dl className="grid grid-cols-[repeat(auto-fit,minmax(9rem,1fr))] gap-3">
        {figures.map(([name, value]) => (
          <div key={name} className="card flex flex-col justify-between p-3">
            <dt className="text-xs text-soft">{name}</dt>
            <dd className="text-lg font-semibold tabular-nums [overflow-wrap:anywhere]">{value}</dd>
          </div>
        ))}
      </dl>
      {totals.estimated_tokens > 0 && <p className="text-xs text-soft">{t.estimated(format.count(totals.estimated_tokens))}</p>}
      {totals.without_usage > 0 && <p className="text-xs text-soft">{t.without_usage(format.count(totals.without_usage))}</p>}
      {errors.length > 0 && (
        <div className="space-y-1.5 text-sm">
          <h3 className="font-medium">{t.errors}</h3>
          <ul className="flex flex-wrap gap-2">
            {errors.map(([code, count]) => (
              <li key={code} className="rounded-lg bg-sunken px-2 py-1 text-xs"><span className="font-mono">{code}</span> <span className="tabular-nums">× {format.count(count)}</span></li>
            ))}
          </ul>
        </div>
      )}
    </Section>
  );
}
