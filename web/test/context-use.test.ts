import assert from "node:assert/strict";
import { test } from "vitest";
import { contextUse } from "../lib/context-use";
import type { Message } from "../lib/conversation";

const said = (content: string): Message => ({ role: "user", content });
const told = (content: string, prompt_tokens: number, completion_tokens: number): Message => ({
  role: "assistant",
  content,
  stats: { usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens } },
});

test("what was counted is counted, and only what is written now is estimated", () => {
  const talk = [said("Hello"), told("There", 100, 20)];
  const idle = contextUse(talk, "", [], undefined, 1000);
  assert.deepEqual([idle.used, idle.next, idle.estimated, idle.level], [120, 0, false, "well"]);
  const writing = contextUse(talk, "x".repeat(360), [], undefined, 1000);
  assert.equal(writing.used, 120);
  assert.ok(writing.estimated && writing.next > 90 && writing.next < 130, String(writing.next));
});

test("the last answer that was counted holds, and what came after it is added", () => {
  const talk = [said("Hello"), told("There", 100, 20), said("word ".repeat(100)), { role: "assistant", content: "", stopped: true } as Message];
  const { used, estimated } = contextUse(talk, "", [], undefined, null);
  assert.ok(used > 220 && estimated, String(used));
});

test("a conversation that was measured gives its own measure", () => {
  const dense = [said("ż".repeat(400)), told("ó".repeat(200), 200, 100)];
  const plain = [said("x".repeat(400)), told("x".repeat(200), 100, 50)];
  const next = (talk: Message[]) => contextUse(talk, "y".repeat(600), [], undefined, null).next;
  assert.ok(next(dense) > next(plain) * 1.5);
});

test("it warns before the context is full, and says when it is", () => {
  const talk = [said("Hello"), told("There", 800, 30)];
  assert.equal(contextUse(talk, "", [], undefined, 1000).level, "well");
  assert.equal(contextUse(talk, "x".repeat(200), [], undefined, 1000).level, "near");
  assert.equal(contextUse(talk, "x".repeat(2000), [], undefined, 1000).level, "over");
  assert.equal(contextUse(talk, "x".repeat(2000), [], undefined, null).level, "well");
});

test("files, images and instructions take room too", () => {
  const image = { kind: "image" as const, name: "a.png", data: "data:image/png;base64,AA==" };
  const file = { kind: "file" as const, name: "a.txt", text: "x".repeat(3600) };
  assert.ok(contextUse([], "", [image], undefined, null).next >= 256);
  assert.ok(contextUse([], "", [file], undefined, null).next > 900);
  assert.ok(contextUse([], "", [], "x".repeat(360), null).used > 90);
});
