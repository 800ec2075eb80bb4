import assert from "node:assert/strict";
import { test } from "vitest";
import { hasValues, latest, tableRows } from "../lib/charts";

const data = (length: number) => ({
  times: Array.from({ length }, (_, at) => at * 2),
  series: [{ label: "a", tone: "accent" as const, values: Array.from({ length }, (_, at) => (at % 2 ? at : null)) }],
});

test("a chart's table is short, has the newest first, and covers the whole", () => {
  const rows = tableRows(data(150));
  assert.ok(rows.length <= 20 && rows.length > 10);
  assert.equal(rows[0]?.time, 298);
  assert.ok((rows.at(-1)?.time ?? 99) < 16, "the oldest row is near the begin");
  assert.deepEqual(tableRows(data(3)).map((row) => row.values), [[1], [null]], "what is not known yet is no row");
  assert.deepEqual(tableRows(data(0)), []);
});

test("the latest value is the last that is known", () => {
  assert.equal(latest([1, 2, null]), 2);
  assert.equal(latest([null]), null);
  assert.equal(hasValues({ times: [1], series: [{ label: "a", tone: "soft", values: [null] }] }), false);
  assert.equal(hasValues({ times: [1], series: [{ label: "a", tone: "soft", values: [0] }] }), true, "zero is a value");
});
