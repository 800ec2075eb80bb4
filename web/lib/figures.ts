import type { Schemas } from "./api/types";

export type Figures = Schemas["FigureSeries"];

const time = (point: Figures["points"][number]): number => Date.parse(point.at);

/**
 * What is known with what is new. The first new point is the last known one, gone on; the server's
 * times may differ by moments from one answer to the next, so it is told by half an interval.
 */
export function joined(known: Figures, told: Figures, seconds: number): Figures {
  const [first] = told.points;
  if (!first) return known;
  const begin = time(first) - told.interval_seconds * 500;
  const points = [...known.points.filter((point) => time(point) < begin), ...told.points].slice(-Math.round(seconds / told.interval_seconds));
  return { ...told, points, count: points.length };
}
