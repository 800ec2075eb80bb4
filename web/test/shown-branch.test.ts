import assert from "node:assert/strict";
import { beforeEach, test } from "vitest";
import type { MessageRecord } from "../lib/api/types";
import { chat, emptyChat } from "../lib/chat-state";
import { goingOn } from "../lib/following-answers";
import { keptPath } from "../lib/keeping";
import { forgetKept } from "../lib/options";
import { besideOf, notedBranch, noteBranch } from "../lib/shown-branch";

const items: Record<string, string> = {};
const storage = {
  getItem: (name: string) => items[name] ?? null,
  setItem: (name: string, text: string) => void (items[name] = text),
  removeItem: (name: string) => void delete items[name],
};
const window = { sessionStorage: new Proxy(storage, { ownKeys: () => Object.keys(items), getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }) }), localStorage: {} };
Object.assign(globalThis, { window });

const record = (id: string, parent: string | null, role: MessageRecord["role"], content = id): MessageRecord => ({
  id, parent_message_id: parent, role, content, model: null, details: null, created_at: "",
});
/** A question with two answers, the first of which was gone on from. */
const TREE = [record("q", null, "user"), record("a1", "q", "assistant"), record("a2", "q", "assistant"), record("q2", "a1", "user"), record("b", "q2", "assistant")];

beforeEach(() => forgetKept());

function show(leaf: string, more = {}): void {
  chat.set({ ...emptyChat(), id: "c", tree: TREE, messages: keptPath(TREE, leaf), ...more });
  noteBranch();
}

test("the branch on the screen is noted by its ids, and found again where it goes on by then", () => {
  show("a1", { beside: { at: 1, other: "a2" } });
  assert.deepEqual(items, { "venom.branch.c": "a1 a2" });
  assert.deepEqual(notedBranch("c", TREE), { leaf: "b", other: "a2" });
  show("a2");
  assert.deepEqual(notedBranch("c", TREE), { leaf: "a2", other: undefined });
  assert.deepEqual(notedBranch("other", TREE), { leaf: undefined, other: undefined });
});

test("nothing is noted while words come, and signing out forgets what was", () => {
  show("a1", { phase: "streaming" });
  assert.deepEqual(items, {});
  show("a1");
  forgetKept("other");
  assert.equal(Object.keys(items).length, 1);
  forgetKept("c");
  assert.deepEqual(items, {});
});

test("an answer stands beside another one to the same question, and beside no other", () => {
  const path = keptPath(TREE, "b");
  assert.deepEqual(besideOf(path, TREE, "a2"), { at: 1, other: "a2" });
  assert.equal(besideOf(path, TREE, "a1"), undefined);
  assert.equal(besideOf(path, TREE, "gone"), undefined);
});

test("of the answers that are being written, the latest is followed, and the one to the same question before it", () => {
  const answering = ["b", "a1", "a2"].map((id) => ({ message_id: id, question_id: id === "b" ? "q2" : "q", state: "answering" as const, place: 0 }));
  const found = { success: true, messages: TREE, answering } as unknown as Parameters<typeof goingOn>[0];
  assert.deepEqual(goingOn(found).map((one) => [one.id, one.said?.content]), [["a1", "a1"], ["a2", "a2"]]);
  assert.deepEqual(goingOn({ ...found, answering: answering.slice(0, 2) }).map((one) => one.id), ["a1"]);
  assert.deepEqual(goingOn({ ...found, answering: [] }), []);
});
