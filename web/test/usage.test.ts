import { expect, test } from "vitest";
import { dayBefore, makeDates } from "../lib/dates";
import { dayOf, groupQuery, linesOf, spanQuery, tokensOfEach, type Days } from "../lib/usage";

type Day = Days["points"][number];
const day = (name: string, more: Partial<Day> = {}): Day => ({
  day: name, requests: 0, refused: 0, failed: 0, errors: {}, prompt_tokens: 0, completion_tokens: 0, estimated_tokens: 0, without_usage: 0,
  time_to_first_token_ms: null, tokens_per_second: null, ...more,
});
const days = (...points: Day[]) => ({ success: true, since: "", until: "", count: points.length, points });

test("a span is the last days, or from a day to a day where they are given", () => {
  expect(spanQuery({ days: 7, since: "2026-01-01", until: "" })).toEqual({ days: 7 });
  expect(spanQuery({ days: null, since: "2026-01-01", until: "" })).toEqual({ since: "2026-01-01", until: undefined });
});

test("a group is asked for as the server names its lines", () => {
  expect(groupQuery("model", "acme://a://b")).toEqual({ provider: "acme", model: "a://b" });
  expect(groupQuery("key", "")).toEqual({ key: "" });
  expect(groupQuery("provider", "acme")).toEqual({ provider: "acme" });
});

test("a chart has a point for every day", () => {
  const data = linesOf([day("2026-11-01", { requests: 3, failed: 1 }), day("2026-11-02")], [{ label: "answered", tone: "accent", of: (one) => one.requests - one.failed }]);
  expect(data.times.map(dayOf)).toEqual(["2026-11-01", "2026-11-02"]);
  expect(data.series[0]?.values).toEqual([2, 0]);
});

test("a group that has not come yet has no line, the others keep their names", () => {
  const data = tokensOfEach([undefined, days(day("2026-11-01", { prompt_tokens: 2, completion_tokens: 3, estimated_tokens: 4 }))], ["one", "two"]);
  expect(data.series).toEqual([{ label: "two", tone: "accent", values: [9] }]);
  expect(tokensOfEach([], []).times).toEqual([]);
});

test("days are those of UTC, moments those of the reader, and what is none stays", () => {
  expect(dayBefore(1, new Date("2026-11-01T00:30:00Z"))).toBe("2026-10-31");
  expect(makeDates("en").day("2026-11-01")).toBe("Nov 1, 2026");
  expect(makeDates("pl").shortDay("2026-11-01")).toBe("1 lis");
  expect(makeDates("en").moment("soon")).toBe("soon");
});
