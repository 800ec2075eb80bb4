import assert from "node:assert/strict";
import { test } from "vitest";
import { joined, type Figures } from "../lib/figures";

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 5) + seconds * 1000).toISOString();
const series = (...points: [seconds: number, requests: number][]) =>
  ({ interval_seconds: 2, memory_total_mb: 8, points: points.map(([seconds, requests]) => ({ at: at(seconds), requests })), count: points.length }) as unknown as Figures;
const shown = ({ points, count }: Figures) => [points.map((point) => [Date.parse(point.at) - Date.UTC(2026, 10, 5), point.requests]), count];

test("what is new follows what is known, and the point that has gone on takes its own place", () => {
  const known = series([0, 1], [2, 1], [4, 1]);
  assert.deepEqual(shown(joined(known, series([4.003, 5], [6.003, 6]), 300)), [[[0, 1], [2000, 1], [4003, 5], [6003, 6]], 4]);
  assert.deepEqual(shown(joined(known, series([3.996, 5]), 300)), [[[0, 1], [2000, 1], [3996, 5]], 3]);
});

test("no more is kept than is shown, and a whole answer takes the place of what was known", () => {
  assert.deepEqual(shown(joined(series([0, 1], [2, 1], [4, 1]), series([4, 2], [6, 2]), 4)), [[[4000, 2], [6000, 2]], 2]);
  assert.deepEqual(shown(joined(series([4, 1]), series([0, 2], [2, 2], [4, 2]), 300)), [[[0, 2], [2000, 2], [4000, 2]], 3]);
  assert.deepEqual(shown(joined(series([4, 1]), series(), 300)), [[[4000, 1]], 1]);
});
