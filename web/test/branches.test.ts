import assert from "node:assert/strict";
import { test } from "vitest";
import type { MessageRecord } from "../lib/api/types";
import { branchesAt, childrenOf, chosenPath, leafUnder, pathTo, switched } from "../lib/branches";

const record = (id: string, parent: string | null, content = id): MessageRecord => ({
  id,
  parent_message_id: parent,
  role: id.startsWith("s") ? "system" : id.startsWith("q") ? "user" : "assistant",
  content,
  model: null,
  details: null,
  created_at: "2026-11-05T10:00:00.000Z",
});

/** s - q1 - a1 - q2 - a2, beside q2 the same words again (a3) and other words (a4), which go on (a5). */
const tree = [
  record("s", null),
  record("q1", "s"),
  record("a1", "q1"),
  record("q2", "a1", "words"),
  record("a2", "q2"),
  record("q3", "a1", "words"),
  record("a3", "q3"),
  record("q4", "a1", "other words"),
  record("a4", "q4"),
  record("q5", "a4"),
  record("a5", "q5"),
  record("q6", "a3"),
  record("a6", "q6"),
];
const ids = (messages: MessageRecord[]) => messages.map(({ id }) => id);

test("without a choice the branch with the latest answer is shown, else the chosen one", () => {
  assert.deepEqual(ids(chosenPath(tree)), ["s", "q1", "a1", "q3", "a3", "q6", "a6"]);
  assert.deepEqual(ids(chosenPath(tree, "a5")), ["s", "q1", "a1", "q4", "a4", "q5", "a5"]);
  assert.deepEqual(ids(chosenPath(tree, "gone")), ids(chosenPath(tree)));
  assert.deepEqual(chosenPath([]), []);
  assert.deepEqual(chosenPath([record("q", null)]), []);
  assert.deepEqual(pathTo(tree, undefined), []);
});

test("a tree that bites its tail hangs nothing", () => {
  assert.ok(chosenPath([record("a", "b"), record("b", "a")]).length <= 2);
});

test("what follows a message, and where it goes on", () => {
  assert.deepEqual(ids(childrenOf(tree, "a1")), ["q2", "q3", "q4"]);
  assert.deepEqual(ids(childrenOf(tree, null)), ["s"]);
  assert.equal(leafUnder(tree, "q2"), "a2");
  assert.equal(leafUnder(tree, "a3"), "a6");
  assert.equal(leafUnder(tree, "q4"), "a5");
  assert.equal(leafUnder([...tree, record("q7", "a5")], "q4"), "a5");
});

test("questions of the same words are one branch, each of their answers is one", () => {
  assert.deepEqual(branchesAt(tree, "q2"), { ids: ["q3", "q4"], at: 0 });
  assert.deepEqual(branchesAt(tree, "q3"), { ids: ["q3", "q4"], at: 0 });
  assert.deepEqual(branchesAt(tree, "q4"), { ids: ["q3", "q4"], at: 1 });
  assert.deepEqual(branchesAt(tree, "a2"), { ids: ["a2", "a3"], at: 0 });
  assert.deepEqual(branchesAt(tree, "a3"), { ids: ["a2", "a3"], at: 1 });
  for (const alone of ["s", "q1", "a1", "a4", "gone", undefined]) assert.equal(branchesAt(tree, alone), null);
});

test("two answers to one question are branches too", () => {
  const both = [record("q", null), record("a", "q"), record("b", "q")];
  assert.deepEqual(branchesAt(both, "a"), { ids: ["a", "b"], at: 0 });
});

test("the same words with another picture are another question", () => {
  const other = { ...record("q2", null, "what is this"), details: { attachments: ["b"] } };
  const both = [record("q1", null, "what is this"), record("a1", "q1"), other, record("a2", "q2")];
  assert.deepEqual(branchesAt(both, "q1"), { ids: ["q1", "q2"], at: 0 });
  assert.equal(branchesAt(both, "a1"), null);
});

test("a step to another branch shows its latest end", () => {
  assert.equal(switched(tree, "a2", 1), "a6");
  assert.equal(switched(tree, "a3", -1), "a2");
  assert.equal(switched(tree, "q3", 1), "a5");
  assert.equal(switched(tree, "q4", 1), undefined);
  assert.equal(switched(tree, "q1", -1), undefined);
});
