import assert from "node:assert/strict";
import { test } from "vitest";
import type { MessageRecord } from "../lib/api/types";
import { detailsOf, exportOf, messageOf, titleOf, wireMessages, type AssistantMessage, type Message } from "../lib/conversation";

const record = (id: string, parent: string | null, role: MessageRecord["role"], more: Partial<MessageRecord> = {}): MessageRecord => ({
  id,
  parent_message_id: parent,
  role,
  content: id,
  model: null,
  details: null,
  created_at: "2026-11-05T10:00:00.000Z",
  ...more,
});

test("a turn that failed without a word is not told to the model", () => {
  const error = { code: "x", message: "m" };
  const sent = wireMessages([
    { role: "system", content: "0" },
    { role: "user", content: "1" },
    { role: "assistant", content: "one" },
    { role: "user", content: "2" },
    { role: "assistant", content: "", error },
    { role: "user", content: "3" },
    { role: "assistant", content: "thr", stopped: true },
    { role: "user", content: "4" },
  ]);
  assert.deepEqual(sent.map((message) => message.content), ["0", "1", "one", "3", "thr", "4"]);
  assert.deepEqual(sent.map((message) => message.role), ["system", "user", "assistant", "user", "assistant", "user"]);
});

const whole: AssistantMessage = {
  role: "assistant",
  content: "text",
  at: "2026-11-05T10:00:00.000Z",
  reasoning: "thought",
  model: "ollama://a",
  stats: { ttftMs: 12, tokensPerSecond: 3.5, usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } },
  finish: "length",
  note: "It repeated itself.",
  stopped: true,
  error: { code: "c", message: "m", fix: "f", docs: null, lang: "pl" },
  reasoningMs: 1500,
  toolCalls: [{ id: "c", name: "look", arguments: "{}" }],
  more: { request_id: "r" },
};

test("calls of tools are told where their results follow, and nowhere else", () => {
  const toolCalls = [{ id: "c1", name: "look", arguments: "{}" }];
  const asked: Message[] = [{ role: "user", content: "1" }, { role: "assistant", content: "", toolCalls }];
  const results = [{ id: "c1", name: "look", content: "seen" }];
  const sent = wireMessages([...asked, { role: "user", content: "look: seen", results }]);
  assert.deepEqual(sent.map(({ role }) => role), ["user", "assistant", "tool"]);
  assert.deepEqual(sent[1]?.tool_calls, [{ id: "c1", type: "function", function: { name: "look", arguments: "{}" } }]);
  assert.deepEqual(sent[2], { role: "tool", content: "seen", tool_call_id: "c1" });
  assert.deepEqual(wireMessages([...asked, { role: "user", content: "never mind" }]), [{ role: "user", content: "never mind" }]);
});

test("results that are kept come back", () => {
  const results = [{ id: "c1", name: "look", content: "seen" }];
  const message = messageOf(record("q", "a", "user", { details: { tool_results: results } }));
  assert.deepEqual(message, { role: "user", content: "q", at: "2026-11-05T10:00:00.000Z", results });
  assert.deepEqual(messageOf(record("q", "a", "user", { details: { tool_results: "none" } })), { role: "user", content: "q", at: "2026-11-05T10:00:00.000Z" });
});

test("what is kept of an answer comes back as it was", () => {
  const details = JSON.parse(JSON.stringify(detailsOf(whole))) as Record<string, unknown>;
  assert.deepEqual(messageOf(record("a", "q", "assistant", { content: "text", model: "ollama://a", details })), whole);
  assert.deepEqual(details.request_id, "r");
  assert.equal(details.time_to_first_token_ms, 12);
});

test("details that somebody else wrote are taken as far as they are what they should be", () => {
  const details = {
    reasoning: 1, finish_reason: null, finish_note: {}, stopped: "yes", error: "broken",
    usage: { completion_tokens: -1 }, time_to_first_token_ms: "fast", tokens_per_second: -2,
  };
  const message = messageOf(record("a", "q", "assistant", { details }));
  assert.deepEqual(
    Object.entries(message).filter(([name, value]) => !["role", "content", "at", "stats", "more"].includes(name) && value !== undefined),
    [],
  );
  assert.deepEqual(Object.values((message as AssistantMessage).stats ?? {}), [undefined, undefined, undefined]);
  assert.equal(messageOf(record("a", "q", "assistant")).content, "a");
});

test("thoughts are cut to what the server takes, however their letters are counted", () => {
  for (const letter of ["a", "ż", "\n", '"', "𝄞"]) {
    const reasoning = letter.repeat(250_000);
    const details = detailsOf({ role: "assistant", content: "", reasoning });
    const ascii = JSON.stringify(details).replace(/[^\x00-\x7f]/g, "\\u0000");
    assert.ok(ascii.length < 200_000, `${letter}: ${ascii.length}`);
    assert.ok(String(details.reasoning).length > 20_000 && String(details.reasoning).endsWith("…"));
  }
  assert.equal(detailsOf({ role: "assistant", content: "", reasoning: "short" }).reasoning, "short");
  const huge = { role: "assistant", content: "", reasoning: "x", more: { calls: "y".repeat(250_000) } } as const;
  assert.equal(detailsOf(huge).reasoning, "…");
});

test("a whole conversation as the server takes it in", () => {
  const body = exportOf([{ role: "user", content: "q" }, whole], { id: "i", title: "t".repeat(300) });
  assert.deepEqual([body.format, body.version, body.id, body.title?.length], ["venom-session", 1, "i", 200]);
  assert.deepEqual(body.messages.map((one) => [one.id, one.parent_message_id, one.role, one.model]), [
    ["1", null, "user", null],
    ["2", "1", "assistant", "ollama://a"],
  ]);
});

test("a title is the first line, cut", () => {
  assert.equal(titleOf("\n first \nsecond"), "first");
  assert.equal(titleOf("x".repeat(80)).length, 60);
});
