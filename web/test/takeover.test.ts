import assert from "node:assert/strict";
import { beforeEach, test } from "vitest";
import { forgetOld, takenOver, takeOver } from "../lib/takeover";
import { untaken } from "../lib/untaken";
import { MemoryServer, refusal } from "./server";

/** Names are own properties, as those of a browser's storage are. */
class MemoryStorage {
  [name: string]: unknown;
}
Object.defineProperties(MemoryStorage.prototype, {
  getItem: { value(this: MemoryStorage, name: string) { return this[name] ?? null; } },
  setItem: { value(this: MemoryStorage, name: string, text: string) { this[name] = text; } },
  removeItem: { value(this: MemoryStorage, name: string) { delete this[name]; } },
});

let server: MemoryServer;
let browser: MemoryStorage;
beforeEach(() => {
  server = new MemoryServer();
  browser = new MemoryStorage();
  const stand = { localStorage: browser, sessionStorage: new MemoryStorage() };
  Object.assign(globalThis, { window: stand });
  untaken.set({ count: 0, error: null });
});

const answer = { role: "assistant", content: "a", model: "ollama://m", stats: { ttftMs: 5, completionTokens: 7 }, finish: "stop", reasoning: "r" };

function old(id: string, messages: unknown, title = `Title ${id}`, updated = 1_790_000_000_000): void {
  browser[`venom.chat.${id}`] = JSON.stringify(messages);
  const index = JSON.parse(String(browser["venom.chats"] ?? "[]")) as unknown[];
  browser["venom.chats"] = JSON.stringify([{ id, title, updated }, ...index]);
}

test("every old chat is handed over, the oldest first, and leaves the browser", async () => {
  old("b", [{ role: "user", content: "q" }, answer], "Second", 2_000);
  old("a", [{ role: "user", content: "q" }, answer], "First", 1_000);
  browser["venom.chat.orphan"] = JSON.stringify([{ role: "user", content: "no index knows it" }]);
  browser["venom.theme"] = "dark";
  assert.equal(await takeOver(), true);
  const sessions = [...server.kept.values()].map((one) => one.session);
  assert.deepEqual(sessions.map((one) => one.title), ["no index knows it", "First", "Second"]);
  assert.equal(sessions[1]?.updated_at, "1970-01-01T00:00:01.000Z");
  assert.deepEqual(Object.keys(browser), ["venom.theme"]);
  const kept = [...server.kept.values()][1]?.messages[1];
  assert.equal(kept?.details?.time_to_first_token_ms, 5);
  assert.deepEqual(kept?.details?.usage, { completion_tokens: 7 });
  assert.equal(await takeOver(), false);
});

test("a second try after an answer that was lost makes no copy", async () => {
  old("a", [{ role: "user", content: "q" }, answer]);
  server.lose = () => true;
  assert.equal(await takeOver(), false);
  assert.deepEqual([untaken.get().count, untaken.get().error?.code], [1, "client_unreachable"]);
  assert.ok(browser["venom.chat.a"]);
  server.lose = () => false;
  assert.equal(await takeOver(), true);
  assert.deepEqual([server.kept.size, untaken.get().count], [1, 0]);
  assert.deepEqual(Object.keys(browser), []);
});

test("what an old page adds meanwhile stays until it is taken too", async () => {
  old("a", [{ role: "user", content: "q" }, answer]);
  const more = JSON.stringify([{ role: "user", content: "q" }, answer, { role: "user", content: "more" }]);
  server.refuse = () => {
    browser["venom.chat.a"] = more;
    return null;
  };
  await takeOver();
  assert.equal(browser["venom.chat.a"], more);
  await takeOver();
  assert.deepEqual([...server.kept.values()].map((one) => one.messages.length), [2, 4]);
  assert.deepEqual(Object.keys(browser), []);
});

test("a refusal of one conversation leaves the others; one of the server ends the try", async () => {
  for (const id of ["a", "b", "c"]) old(id, [{ role: "user", content: id }, answer], id, id.charCodeAt(0));
  server.refuse = ({ body }) => (body.title === "a" ? refusal(422, "invalid_request") : null);
  assert.equal(await takeOver(), true);
  assert.deepEqual([server.kept.size, untaken.get().count, untaken.get().error?.code], [2, 1, "invalid_request"]);
  for (const id of ["b", "c"]) old(id, [{ role: "user", content: `${id} again` }, answer]);
  server.refuse = () => refusal(503, "store_full");
  const before = server.asked.length;
  assert.equal(await takeOver(), false);
  assert.deepEqual([server.asked.length - before, untaken.get().count], [1, 3]);
  forgetOld();
  assert.deepEqual([Object.keys(browser), untaken.get().count], [[], 0]);
});

test("what is damaged is taken as far as it is a conversation", () => {
  const cases: [unknown, string[] | null][] = [
    ["{", null],
    [[], null],
    [[1, null, { role: "tool", content: "x" }, { role: "user", content: 1 }], null],
    [[{ role: "user", content: "lost" }], ["lost", ""]],
    [[{ role: "user", content: "1" }, { role: "user", content: "2" }, answer], ["1", "", "2", "a"]],
  ];
  for (const [kept, expected] of cases) {
    const text = typeof kept === "string" ? kept : JSON.stringify(kept);
    assert.deepEqual(takenOver("a", text, {})?.messages.map((one) => one.content) ?? null, expected);
  }
  const one = takenOver("a", JSON.stringify([{ role: "user", content: "x" }]), { updated: 1e300 });
  assert.deepEqual([one?.title, one?.updated_at], ["x", undefined]);
  assert.equal(one?.messages[1]?.details?.stopped, true);
  assert.match(one?.id ?? "", /^a-[0-9a-f]{8}$/);
});
