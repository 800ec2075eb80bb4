import assert from "node:assert/strict";
import { test } from "vitest";
import type { SessionImport } from "../lib/api/types";
import { importFile, sessionsIn } from "../lib/importing";
import { MemoryServer, refusal } from "./server";

const newId = () => "new";

function one(found: unknown): SessionImport {
  const sessions = sessionsIn(JSON.stringify(found), newId);
  assert.equal(sessions.length, 1);
  return sessions[0]!;
}

test("a file is ours as it is, or a list of messages as OpenAI's clients keep them", () => {
  const ours = { format: "venom-session", version: 1, title: "t", messages: [{ id: "1", role: "user", content: "q" }] };
  assert.deepEqual(one(ours), { ...ours, id: "new" });
  const parts = [{ type: "text", text: "What is it?" }, { type: "image_url", image_url: { url: "data:" } }];
  const theirs = [{ role: "system", content: "Be brief." }, { role: "user", content: parts }, { role: "tool", content: "x" }, { role: "assistant", content: "A cat." }];
  for (const given of [theirs, { messages: theirs }]) {
    const found = one(given);
    assert.deepEqual(found.messages.map((line) => [line.role, line.content]), [["system", "Be brief."], ["user", "What is it?"], ["assistant", "A cat."]]);
    assert.deepEqual([found.id, found.title], ["new", "What is it?"]);
  }
  for (const nothing of ["", "no json", "[]", "{}", '[{"role": "x"}]']) assert.throws(() => sessionsIn(nothing, newId), { code: "client_no_conversation" });
});

/** A message of ChatGPT's export. */
const said = (role: string, words: string, more: object = {}) => ({
  author: { role }, content: { content_type: "text", parts: [words] }, create_time: 1_700_000_000.5, metadata: {}, recipient: "all", ...more,
});
type Node = [id: string, parent: string | null, message: object | null];
const mapping = (...nodes: Node[]) => Object.fromEntries(nodes.map(([id, parent, message]) => [id, { id, parent, children: [], message }]));
const told = ({ messages }: SessionImport) => messages.map((line) => [line.id, line.parent_message_id, line.role, line.content]);

test("a conversation of ChatGPT is taken with its branches, the open one last, without what is for its tools", () => {
  const answered = said("assistant", "Better.", { metadata: { model_slug: "gpt-4o" } });
  const found = one([{
    title: "A talk", id: "0a1b-2c", create_time: 1_700_000_000, update_time: 1_700_000_060, current_node: "right",
    mapping: mapping(
      ["root", null, null],
      ["hidden", "root", said("system", "x", { metadata: { is_visually_hidden_from_conversation: true } })],
      ["q", "hidden", said("user", "Why?")],
      ["right", "tool", answered],
      ["wrong", "q", said("assistant", "Because.")],
      ["look", "q", said("assistant", "I look.")],
      ["call", "look", said("assistant", "search('why')", { recipient: "web" })],
      ["tool", "call", said("tool", "a page")],
    ),
  }]);
  assert.deepEqual(told(found), [["1", null, "user", "Why?"], ["2", "1", "assistant", "Because."], ["3", "1", "assistant", "I look.\n\nBetter."]]);
  assert.deepEqual([found.title, found.id, found.created_at, found.updated_at], ["A talk", "0a1b-2c", "2023-11-14T22:13:20.000Z", "2023-11-14T22:14:20.000Z"]);
  assert.equal(found.messages[0]?.created_at, "2023-11-14T22:13:20.500Z");
});

test("who answered is kept; two answers in a row stay two where the first has another below it", () => {
  const found = one({
    mapping: mapping(
      ["q", null, said("user", "Why?")],
      ["a", "q", said("assistant", "Because.", { metadata: { model_slug: "gpt-4o" } })],
      ["b", "a", said("assistant", "So.")], ["c", "a", said("user", "And?")],
    ),
  });
  assert.deepEqual(told(found).map(([, over, , content]) => [over, content]), [[null, "Why?"], ["1", "Because."], ["2", "So."], ["2", "And?"]]);
  assert.equal(found.messages[1]?.model, "gpt-4o");
});

test("pictures and tools of ChatGPT are left out, and so is a conversation that says nothing else", () => {
  const picture = { author: { role: "user" }, content: { content_type: "multimodal_text", parts: [{ content_type: "image_asset_pointer" }, "What is it?"] } };
  const silent = { mapping: mapping(["a", null, said("tool", "x")], ["b", "a", said("assistant", "  ")]) };
  const sessions = sessionsIn(JSON.stringify([silent, { title: 3, mapping: mapping(["a", "gone", picture]) }]), newId);
  assert.deepEqual(sessions.map((session) => [session.title, told(session)]), [["", [["1", null, "user", "What is it?"]]]]);
  assert.throws(() => sessionsIn(JSON.stringify([silent]), newId), { code: "client_no_conversation" });
});

test("nodes that follow one another in a ring end", () => {
  assert.throws(() => sessionsIn(JSON.stringify({ current_node: "a", mapping: mapping(["a", "b", said("user", "x")], ["b", "a", said("user", "y")]) }), newId), { code: "client_no_conversation" });
});

test("a chat of Open WebUI is taken with its branches and instructions", () => {
  const messages = {
    q: { id: "q", parentId: null, role: "user", content: "Why?", timestamp: 1_700_000_000 },
    b: { id: "b", parentId: "q", role: "assistant", content: "So.", model: "gemma3:4b" },
    a: { id: "a", parentId: "q", role: "assistant", content: "Because.", model: "gemma3:4b" },
  };
  const found = one([{ id: "u-1", title: "Theirs", chat: { params: { system: "Be brief." }, history: { currentId: "b", messages } } }]);
  assert.deepEqual(told(found), [["1", null, "system", "Be brief."], ["2", "1", "user", "Why?"], ["3", "2", "assistant", "Because."], ["4", "2", "assistant", "So."]]);
  assert.deepEqual([found.title, found.id, found.messages[3]?.model], ["Theirs", "u-1", "gemma3:4b"]);
});

const many = (count: number) =>
  new File([JSON.stringify(Array.from({ length: count }, (_, at) => ({ title: `talk ${at}`, id: `talk-${at}`, mapping: mapping(["q", null, said("user", "Why?")]) })))], "conversations.json");

test("a file of many conversations says what was taken, what was known and what was refused", async () => {
  const server = new MemoryServer();
  server.refuse = ({ path, body }) => (path.endsWith("/import") && body.id === "talk-1" ? refusal(400, "invalid_session") : path.endsWith("/import") && body.id === "talk-2" ? refusal(409, "session_exists") : null);
  const steps: number[] = [];
  const done = await importFile(many(4), new AbortController().signal, (now) => steps.push(now.taken));
  assert.deepEqual([done.all, done.taken, done.known, done.refused, done.error?.code], [4, 2, 1, 1, "invalid_session"]);
  assert.deepEqual(steps, [1, 1, 1, 2]);
});

test("taking in stops where somebody says so, and where the server is away", async () => {
  new MemoryServer();
  const stop = new AbortController();
  assert.equal((await importFile(many(5), stop.signal, () => stop.abort())).taken, 1);
  const away = new MemoryServer();
  away.lose = ({ path }) => path.endsWith("/import");
  const done = await importFile(many(5), new AbortController().signal, () => undefined);
  assert.deepEqual([done.taken, done.refused, done.error?.code], [0, 1, "client_unreachable"]);
});
