import assert from "node:assert/strict";
import { test } from "vitest";
import { ApiError } from "../lib/errors";
import { expectKept, expected } from "../lib/leaving";

const items = new Map<string, string>();
const sessionStorage = {
  getItem: (name: string) => items.get(name) ?? null,
  setItem: (name: string, text: string) => void items.set(name, text),
  removeItem: (name: string) => void items.delete(name),
};
Object.assign(globalThis, { window: { sessionStorage } });

/** Reads that find so many messages, null where there is no such session yet. */
function reads(...found: (number | null)[]) {
  const left = [...found];
  return async () => {
    const messages = left.length > 1 ? left.shift() : left[0];
    if (messages === null || messages === undefined) throw new ApiError({ code: "session_not_found", message: "m" }, 404);
    return { session: { messages } };
  };
}

test("what is on its way after a reload is waited for, and nothing else is", async () => {
  expectKept("s", 0);
  assert.equal((await expected("s", reads(null, 2))).session.messages, 2);
  expectKept("s", 2);
  assert.equal((await expected("s", reads(2, 2, 4))).session.messages, 4);
  assert.equal(items.size, 0);
  assert.equal((await expected("s", reads(2, 4))).session.messages, 2);
  expectKept("other", 0);
  await assert.rejects(expected("s", reads(null, 2)), (thrown: ApiError) => thrown.status === 404);
});
