import assert from "node:assert/strict";
import { beforeEach, test, vi } from "vitest";
import { chats, findChat, moreChats, refreshChats, renameChat } from "../lib/chats";
import { finishRemoval, holdRemoval, removeChat, resumeRemoval, undoRemoval, UNDO_MS } from "../lib/removal";
import { removal } from "../lib/removed";
import { MemoryServer, refusal } from "./server";

let server: MemoryServer;
let serial = 0;
/** A deleted id stays hidden as long as a page lives, and this file is one page. */
let run = "";
beforeEach(() => {
  server = new MemoryServer();
  chats.set({ entries: [], more: false, heard: false, error: null });
  serial += 1;
  run = `r${serial}-`;
});

const titles = () => chats.get().entries.map((entry) => entry.title);
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("the list comes page by page, and again as far as it is shown", async () => {
  for (let at = 0; at < 120; at += 1) server.add(`${run}${at}`, `t${at}`, "q", "a");
  await refreshChats();
  assert.deepEqual([titles().length, titles()[0], chats.get().more], [50, "t119", true]);
  await moreChats();
  await moreChats();
  assert.deepEqual([titles().length, titles().at(-1), chats.get().more], [120, "t0", false]);
  server.add(`${run}new`, "new", "q", "a");
  await refreshChats();
  assert.deepEqual([titles().length, titles()[0]], [120, "new"]);
});

test("what is renamed while the list is on its way is not undone by it", async () => {
  server.add(`${run}a`, "old", "q", "a");
  await refreshChats();
  const list = refreshChats();
  await renameChat(`${run}a`, "new");
  await list;
  assert.deepEqual(titles(), ["new"]);
});

test("a title that is refused goes back, and the refusal is said", async () => {
  server.add(`${run}a`, "old", "q", "a");
  await refreshChats();
  server.refuse = ({ method }) => (method === "POST" ? refusal(503, "store_full") : null);
  await renameChat(`${run}a`, "new");
  assert.deepEqual([titles(), chats.get().error?.code], [["old"], "store_full"]);
  await renameChat(`${run}a`, "");
  assert.deepEqual(titles(), ["old"]);
});

test("a deletion is on the server when its time is over, and not while somebody decides", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    for (const id of ["a", "b"]) server.add(`${run}${id}`, id, "q", "a");
    await refreshChats();
    removeChat(`${run}a`);
    assert.deepEqual([titles(), removal.get()?.title], [["b"], "a"]);
    vi.advanceTimersByTime(UNDO_MS - 1);
    holdRemoval();
    vi.advanceTimersByTime(UNDO_MS * 10);
    assert.ok(server.kept.has(`${run}a`));
    await refreshChats();
    assert.deepEqual(titles(), ["b"]);
    resumeRemoval();
    vi.advanceTimersByTime(UNDO_MS);
    await settled();
    assert.deepEqual([server.kept.has(`${run}a`), removal.get()], [false, null]);
  } finally {
    vi.useRealTimers();
  }
});

test("undone, it is as it was; the next deletion ends the time of the one before", async () => {
  for (const id of ["a", "b"]) server.add(`${run}${id}`, id, "q", "a");
  await refreshChats();
  removeChat(`${run}a`);
  undoRemoval();
  assert.deepEqual(titles(), ["b", "a"]);
  removeChat(`${run}a`);
  removeChat(`${run}b`);
  await settled();
  assert.deepEqual([server.kept.has(`${run}a`), server.kept.has(`${run}b`)], [false, true]);
  await finishRemoval();
  assert.equal(server.kept.size, 0);
  assert.deepEqual(server.methods().filter((method) => method === "DELETE").length, 2);
});

test("a deletion that is refused is listed again; one that somebody else did is done", async () => {
  for (const id of ["a", "b"]) server.add(`${run}${id}`, id, "q", "a");
  await refreshChats();
  server.refuse = ({ method }) => (method === "DELETE" ? refusal(503, "store_full") : null);
  removeChat(`${run}a`);
  await finishRemoval();
  assert.deepEqual([titles(), chats.get().error?.code], [["b", "a"], "store_full"]);
  server.refuse = () => null;
  server.kept.clear();
  removeChat(`${run}b`);
  await finishRemoval();
  assert.equal(findChat(`${run}b`), undefined);
});
