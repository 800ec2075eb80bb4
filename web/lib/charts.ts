/** One line of a chart; null is "not known". The colour is one of the theme's, by its name. */
export interface Series {
  label: string;
  tone: Tone;
  values: readonly (number | null)[];
}

/** Told apart by brightness too, and drawn one dashed and one whole. */
export const CHART_TONES = { accent: "text-accent", warn: "text-warn", danger: "text-danger", soft: "text-soft" } as const;
export type Tone = keyof typeof CHART_TONES;

export interface ChartData {
  /** Seconds since the epoch, ascending. */
  times: readonly number[];
  series: readonly Series[];
}

/** The rows of a chart's table: at most so many, evenly over the whole, the newest of which something is known first. */
export function tableRows({ times, series }: ChartData, most = 20): { time: number; values: (number | null)[] }[] {
  const step = Math.max(1, Math.ceil(times.length / most));
  const rows = [];
  const newest = times.findLastIndex((_, at) => series.some((one) => one.values[at] !== null));
  for (let at = newest; at >= 0; at -= step) {
    rows.push({ time: times[at] ?? 0, values: series.map((one) => one.values[at] ?? null) });
  }
  return rows;
}

/** The last that is known, with its place. */
export function latest(values: readonly (number | null)[]): number | null {
  return values.findLast((value) => value !== null) ?? null;
}

/** Whether there is anything to draw. */
export const hasValues = ({ series }: ChartData) => series.some((one) => one.values.some((value) => value !== null));
