import assert from "node:assert/strict";
import { beforeEach, test, vi } from "vitest";
import { searchAgain, searchFor } from "../lib/search";
import { nothingSearched, search } from "../lib/searched";
import { MemoryServer, refusal } from "./server";

let server: MemoryServer;
beforeEach(() => {
  server = new MemoryServer();
  search.set(nothingSearched);
});

test("what is typed is asked once, in its last form, and an empty text ends the search", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    server.add("a", "plans & more", "q", "a");
    for (const text of ["p", "pl", "plans &"]) searchFor(text);
    vi.advanceTimersByTime(200);
    await vi.waitFor(() => assert.equal(search.get().found?.length, 1));
    assert.equal(server.asked.length, 1);
    assert.ok(server.asked[0]?.path.endsWith("query=plans%20%26"), server.asked[0]?.path);
    searchFor(" ");
    assert.deepEqual(search.get(), nothingSearched);
  } finally {
    vi.useRealTimers();
  }
});

test("a refusal is said, and the next try takes it away", async () => {
  search.set({ ...nothingSearched, query: "x" });
  server.refuse = () => refusal(503, "store_locked");
  await searchAgain();
  assert.equal(search.get().error?.code, "store_locked");
  server.refuse = () => null;
  await searchAgain();
  assert.deepEqual([search.get().error, search.get().found], [null, []]);
});
