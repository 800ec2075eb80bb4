import { barsOf, type Measure, type Result } from "@/lib/benchmarks";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/benchmark";

/** A model without its provider, which the table names. */
const bareName = (reference: string) => reference.replace(/^[^:]+:\/\//, "");

/** One measure of each model as a bar; the table beside it says the same. */
export function Bars({ results, measure }: { results: readonly Result[]; measure: Measure }) {
  const { t, format } = useArea(texts);
  const bars = barsOf(results, measure);
  if (bars.length === 0) return null;
  const valueOf = (value: number) =>
    measure.name === "memory_bytes" ? format.bytes(value) : measure.name === "tokens_per_second" ? format.rate(value) : format.duration(value);
  const title = t[measure.name];
  const short = new Set(bars.map((bar) => bareName(bar.model))).size === bars.length;
  return (
    <figure aria-label={t.chart(title)} className="min-w-0 space-y-2.5">
      <figcaption className="text-sm font-medium">
        {title} <span className="block text-xs font-normal text-soft">{t[measure.better]}</span>
      </figcaption>
      <ul className="space-y-2 text-sm">
        {bars.map((bar) => (
          <li key={bar.model}>
            <div className="flex flex-wrap items-baseline gap-x-3">
              <span className="min-w-0 break-words">{short ? bareName(bar.model) : bar.model}</span>
              <span className="ml-auto shrink-0 tabular-nums">
                {bar.best && <span className="mr-2 text-xs text-accent">{t.best}</span>}
                {valueOf(bar.value)}
              </span>
            </div>
            <div aria-hidden="true" className="mt-1 h-2 rounded-full bg-sunken">
              <div className={`h-2 min-w-1 rounded-full ${bar.best || bars.every((one) => !one.best) ? "bg-accent" : "bg-edge"}`} style={{ width: `${bar.share * 100}%` }} />
            </div>
          </li>
        ))}
      </ul>
    </figure>
  );
}
