import type { Schemas } from "./api/types";

export type Benchmark = Schemas["BenchmarkView"];
export type Result = Schemas["BenchmarkResult"];

/** What is compared, and whether more of it is better. */
export const MEASURES = [
  { name: "tokens_per_second", better: "more" },
  { name: "time_to_first_token_ms", better: "less" },
  { name: "memory_bytes", better: "less" },
] as const;

export type Measure = (typeof MEASURES)[number];

export interface Bar {
  model: string;
  value: number;
  /** Of the longest one, 0 to 1. */
  share: number;
  best: boolean;
}

/** The models that have a figure, the best first; the best is marked where another is worse. */
export function barsOf(results: readonly Result[], { name, better }: Measure): Bar[] {
  const known = results.filter((one) => one[name] !== null).map((one) => ({ model: one.model_name, value: one[name]! }));
  known.sort((one, other) => (better === "more" ? other.value - one.value : one.value - other.value));
  const most = Math.max(...known.map((one) => one.value), 0);
  const best = known[0]?.value;
  return known.map((one) => ({
    ...one,
    share: most > 0 ? one.value / most : 0,
    best: one.value === best && known.some((other) => other.value !== best),
  }));
}
