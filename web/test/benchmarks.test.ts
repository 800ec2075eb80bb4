import assert from "node:assert/strict";
import { test } from "vitest";
import { barsOf, MEASURES, type Result } from "../lib/benchmarks";

const result = (model_name: string, tokens_per_second: number | null, time_to_first_token_ms: number | null) =>
  ({ model_name, tokens_per_second, time_to_first_token_ms, memory_bytes: null }) as Result;
const [speed, first, memory] = MEASURES;

test("the best comes first: more tokens a second, less waiting; what is not known is left out", () => {
  const results = [result("slow", 10, 400), result("fast", 40, 100), result("failed", null, null)];
  assert.deepEqual(barsOf(results, speed), [
    { model: "fast", value: 40, share: 1, best: true }, { model: "slow", value: 10, share: 0.25, best: false },
  ]);
  assert.deepEqual(barsOf(results, first).map((one) => [one.model, one.share, one.best]), [["fast", 0.25, true], ["slow", 1, false]]);
  assert.deepEqual(barsOf(results, memory), []);
});

test("one model alone, or all alike, are best of nothing, and nothing is no share of nothing", () => {
  assert.deepEqual(barsOf([result("one", 5, 0)], speed)[0]?.best, false);
  assert.deepEqual(barsOf([result("one", 5, 0), result("two", 5, 0)], speed).map((one) => one.best), [false, false]);
  assert.deepEqual(barsOf([result("one", 5, 0)], first)[0]?.share, 0);
});
