import type { JsonOf } from "./api/types";
import type { ChartData, Series, Tone } from "./charts";

export type Summary = JsonOf<"/api/v1/usage/summary">;
export type Days = JsonOf<"/api/v1/usage/series">;
export type Group = Summary["groups"][number];
type Day = Days["points"][number];
export type By = Summary["by"];

/** The days that are shown: the last so many, or from one to another (UTC). */
export interface Span {
  days: number | null;
  since: string;
  until: string;
}

export function spanQuery({ days, since, until }: Span): { days?: number; since?: string; until?: string } {
  if (days !== null) return { days };
  return { since: since || undefined, until: until || undefined };
}

export const tokensOf = (day: Day | Group) => day.prompt_tokens + day.completion_tokens + day.estimated_tokens;

/** The query that narrows the series to one group. */
export function groupQuery(by: By, name: string): { model?: string; provider?: string; key?: string } {
  if (by === "key") return { key: name };
  if (by === "provider") return { provider: name };
  const at = name.indexOf("://");
  return at < 0 ? { model: name } : { provider: name.slice(0, at), model: name.slice(at + 3) };
}

const secondsOf = (day: string) => Date.parse(`${day}T00:00:00Z`) / 1000;
export const dayOf = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 10);

/** Lines over the days of a series, one for each way to read a day. */
export function linesOf(points: readonly Day[], lines: readonly { label: string; tone: Tone; of: (day: Day) => number }[]): ChartData {
  return {
    times: points.map((day) => secondsOf(day.day)),
    series: lines.map(({ label, tone, of }) => ({ label, tone, values: points.map(of) })),
  };
}

const TONES: readonly Tone[] = ["accent", "warn", "danger"];
/** So many of the most used have a line each. */
export const MOST_LINES = TONES.length;

/** The tokens of several groups, a line each; those that have not come yet are left out. */
export function tokensOfEach(series: readonly (Days | undefined)[], labels: readonly string[]): ChartData {
  const there = series.flatMap((days, at) => (days ? [{ days, label: labels[at] ?? "" }] : []));
  const lines: Series[] = there.map(({ days, label }, at) => ({ label, tone: TONES[at] ?? "soft", values: days.points.map(tokensOf) }));
  return { times: (there[0]?.days.points ?? []).map((day) => secondsOf(day.day)), series: lines };
}
