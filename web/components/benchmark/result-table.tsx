import type { Result } from "@/lib/benchmarks";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/benchmark";

const NONE = "–";

/** The figures of a benchmark, each of them as text. */
export function ResultTable({ results, caption }: { results: readonly Result[]; caption: string }) {
  const { t, format } = useArea(texts);
  const time = (value: number | null) => (value === null ? NONE : format.duration(value));
  const heads = [t.state, t.tokens_per_second, t.time_to_first_token_ms, t.memory_bytes, t.load, t.tokens, t.duration];
  return (
    <div className="overflow-x-auto" tabIndex={0} role="region" aria-label={caption}>
      <table className="w-full min-w-160 text-left text-sm tabular-nums">
        <caption className="sr-only">{caption}</caption>
        <thead className="text-xs text-soft">
          <tr>
            <th scope="col" className="py-1.5 pr-4 align-bottom font-medium">{t.model}</th>
            {heads.map((head) => <th key={head} scope="col" className="py-1.5 pr-4 align-bottom font-medium">{head}</th>)}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {results.map((one) => (
            <tr key={one.model_name} className="align-top">
              <th scope="row" className="min-w-44 py-2 pr-4 font-medium break-words">
                {one.model_name}
                {one.runs_at && <span className="block text-xs font-normal text-soft">{t.runs_at(one.runs_at)}</span>}
                {one.error && <span className="block text-xs font-normal text-danger">{one.error.message} {one.error.fix}</span>}
              </th>
              <td className="py-2 pr-4">{t[`status_${one.status}`]}</td>
              <td className="py-2 pr-4">{one.tokens_per_second === null ? NONE : format.rate(one.tokens_per_second)}</td>
              <td className="py-2 pr-4">{time(one.time_to_first_token_ms)}</td>
              <td className="py-2 pr-4">{one.memory_bytes === null ? NONE : format.bytes(one.memory_bytes)}</td>
              <td className="py-2 pr-4">{time(one.load_ms)}</td>
              <td className="py-2 pr-4">{format.count(one.completion_tokens)}</td>
              <td className="py-2">{time(one.total_duration_ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
