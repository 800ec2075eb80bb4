import assert from "node:assert/strict";
import { beforeEach, test } from "vitest";
import { branchesAt } from "../lib/branches";
import type { Message } from "../lib/conversation";
import { ApiError } from "../lib/errors";
import { beginAnswer } from "../lib/api/sessions";
import { grownTree, idOf, isKept, keepAsNew, keepMissing, keptPath, lastKept } from "../lib/keeping";
import { MemoryServer, refusal } from "./server";

let server: MemoryServer;
beforeEach(() => {
  server = new MemoryServer();
});

const said = (...contents: string[]): Message[] =>
  contents.map((content, at) => (at % 2 ? { role: "assistant", content } : { role: "user", content }));

const parents = (id: string) => server.kept.get(id)?.messages.map((one) => one.parent_message_id);

test("what is missing is kept, each behind the one before it, and once", async () => {
  const talk = said("q1", "a1", "q2", "a2");
  const session = await keepMissing("s", talk, false);
  assert.equal(session?.messages, 4);
  assert.deepEqual(parents("s"), [null, ...(server.kept.get("s")?.messages.slice(0, 3).map((one) => one.id) ?? [])]);
  assert.equal(await keepMissing("s", [...talk], false), null);
  assert.deepEqual(server.methods(), ["POST", "POST"]);
  await keepMissing("s", [...talk, ...said("q3", "a3")], false);
  assert.deepEqual(server.contents("s"), ["q1", "a1", "q2", "a2", "q3", "a3"]);
});

test("asking again makes a branch behind the same message", async () => {
  const talk = said("q1", "a1", "q2", "a2");
  await keepMissing("s", talk, false);
  await keepMissing("s", [...talk.slice(0, 2), ...said("q2", "other")], false);
  const [, , q2, , again] = server.kept.get("s")?.messages ?? [];
  assert.equal(again?.parent_message_id, q2?.parent_message_id);
  const path = keptPath(server.kept.get("s")?.messages ?? []);
  assert.deepEqual(path.map((one) => one.content), ["q1", "a1", "q2", "other"]);
  assert.ok(path.every(isKept));
  assert.notEqual(lastKept(path), lastKept(talk));
});

test("a try whose answer was lost is recognised, not stored twice", async () => {
  const talk = said("q1", "a1", "q2", "a2");
  server.lose = ({ body }) => body.question === "q2";
  await assert.rejects(keepMissing("s", talk, false), (thrown: ApiError) => thrown.code === "client_unreachable");
  server.lose = () => false;
  await keepMissing("s", [...talk, ...said("q3", "a3")], true);
  assert.deepEqual(server.contents("s"), ["q1", "a1", "q2", "a2", "q3", "a3"]);
});

test("a first try that never arrived is made again; one that was deleted since is not", async () => {
  const talk = said("q1", "a1");
  server.refuse = () => refusal(503, "store_full");
  await assert.rejects(keepMissing("s", talk, false), (thrown: ApiError) => thrown.code === "store_full");
  server.refuse = () => null;
  await keepMissing("s", talk, true);
  server.kept.clear();
  for (const again of [false, true]) {
    const more = [...talk, ...said("q2", "a2")];
    await assert.rejects(keepMissing("s", more, again), (thrown: ApiError) => thrown.code === "session_not_found");
  }
  assert.equal(server.kept.size, 0);
});

test("a conversation that is kept anew goes on in the new session", async () => {
  const talk = said("q1", "a1", "q2", "a2");
  await keepMissing("s", talk, false);
  server.kept.clear();
  const session = await keepAsNew(talk, "title");
  assert.notEqual(session.id, "s");
  await keepMissing(session.id, [...talk, ...said("q3", "a3")], false);
  assert.deepEqual(server.contents(session.id), ["q1", "a1", "q2", "a2", "q3", "a3"]);
  assert.equal(new Set(parents(session.id)).size, 6);
});

test("what is asked and what is kept outlives the page, as far as a browser lets it", async () => {
  const flags: unknown[] = [];
  const sent = globalThis.fetch;
  globalThis.fetch = (path, init) => {
    flags.push(init?.keepalive);
    return sent(path, init);
  };
  await beginAnswer("s", { question: "q" }).catch(() => undefined);
  for (const answer of ["a", "x".repeat(70_000)]) await keepMissing("s", said("q", answer), false);
  assert.deepEqual(flags, [true, true, false]);
});

test("what is kept by now grows the tree, and the other branch stays in it", async () => {
  const talk = said("q1", "a1");
  await keepMissing("s", talk, false);
  const tree = grownTree([], talk);
  assert.deepEqual(tree.map((one) => [one.content, one.parent_message_id]), [["q1", null], ["a1", idOf(talk[0])]]);
  assert.equal(grownTree(tree, talk), tree);
  const again = said("q1", "other");
  await keepMissing("s", again, false);
  const both = grownTree(tree, again);
  assert.deepEqual(branchesAt(both, idOf(again[1]))?.ids, [idOf(talk[1]), idOf(again[1])]);
  assert.deepEqual(grownTree(both, said("q", "not kept")), both);
});

test("results of calls are kept beside the question", async () => {
  const results = [{ id: "c", name: "look", content: "seen" }];
  await keepMissing("s", [{ role: "user", content: "look: seen", results }, { role: "assistant", content: "so" }], false);
  assert.deepEqual(server.asked.at(-1)?.body.question_details, { tool_results: results });
});
