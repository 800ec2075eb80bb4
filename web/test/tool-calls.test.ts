import assert from "node:assert/strict";
import { test } from "vitest";
import { GrowingAnswer } from "../lib/growing";
import { callsOf, grownCalls, prettyArguments } from "../lib/tool-calls";

test("the pieces of calls become whole calls, however they are mixed", () => {
  const growing = new GrowingAnswer();
  growing.add({ toolCalls: [{ index: 0, id: "a", function: { name: "look", arguments: '{"at":' } }] });
  growing.add({ toolCalls: [{ index: 1, function: { name: "go", arguments: "" } }, { index: 0, function: { arguments: "1}" } }] });
  assert.deepEqual(growing.message.toolCalls, [
    { id: "a", name: "look", arguments: '{"at":1}' },
    { id: "call_1", name: "go", arguments: "" },
  ]);
  assert.ok(growing.started);
});

test("an index that is none takes no room", () => {
  for (const index of [-1, 1.5, Number.NaN, 1e9]) assert.deepEqual(grownCalls([], [{ index, id: "a" }]), []);
});

test("time to think ends with the first word of the answer", () => {
  const growing = new GrowingAnswer();
  growing.add({ reasoning: "so" });
  growing.add({ content: "yes" });
  const took = growing.message.reasoningMs;
  growing.add({ content: " and no" });
  assert.ok(took !== undefined && took >= 0);
  assert.equal(growing.message.reasoningMs, took);
  const plain = new GrowingAnswer();
  plain.add({ content: "yes" });
  assert.equal(plain.message.reasoningMs, undefined);
});

test("calls as somebody else kept them are taken as far as they are some", () => {
  assert.deepEqual(callsOf([{ id: 1, name: "look", arguments: {} }, 7, null]), [{ id: "call_0", name: "look", arguments: "" }]);
});

test("arguments are shown line by line, and never as other values than were written", () => {
  assert.equal(prettyArguments('{"a":[1]}').text, '{\n  "a": [\n    1\n  ]\n}');
  assert.deepEqual(prettyArguments('{"a": 12345678901234567890}'), { text: '{"a": 12345678901234567890}', json: true });
  assert.deepEqual(prettyArguments('{"a":'), { text: '{"a":', json: false });
});

test("what was said of an answer is shown until it is heard again from its beginning", () => {
  const growing = new GrowingAnswer({ role: "assistant", content: "The first half", reasoning: "Hm.", at: "then" });
  assert.deepEqual(growing.message, { role: "assistant", content: "The first half", reasoning: "Hm." });
  growing.add({ resolved: "a://b" });
  assert.ok(!growing.started);
  assert.equal(growing.message.content, "The first half");
  growing.add({ reasoning: "Hm.", content: "The first half and" });
  assert.ok(growing.started);
  growing.add({ content: " the second", usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } });
  const { content, reasoning, model, stats } = growing.end();
  assert.deepEqual([content, reasoning, model], ["The first half and the second", "Hm.", "a://b"]);
  // Its beginning was not timed here.
  assert.deepEqual(Object.keys(stats ?? {}), ["usage"]);
});
