import assert from "node:assert/strict";
import { test } from "vitest";
import { checkedSchema, checkedTools } from "../lib/json-field";

test("a schema is an object that says something", () => {
  assert.deepEqual(checkedSchema('{"type":"object"}').value, { type: "object" });
  assert.deepEqual(checkedSchema("[]").problem, { kind: "not_object" });
  assert.deepEqual(checkedSchema("{}").problem, { kind: "no_type" });
  assert.equal(checkedSchema("").problem?.kind, "syntax");
});

test("what is no JSON is said with its line", () => {
  assert.deepEqual(checkedSchema('{\n  "type": oops\n}').problem, { kind: "syntax", line: 2 });
});

test("tools are functions with names", () => {
  const tool = { type: "function", function: { name: "weather" } };
  assert.deepEqual(checkedTools(JSON.stringify([tool])).value, [tool]);
  assert.deepEqual(checkedTools("{}").problem, { kind: "not_list" });
  assert.deepEqual(checkedTools(JSON.stringify([tool, { type: "function" }])).problem, { kind: "bad_tool", at: 2 });
});
