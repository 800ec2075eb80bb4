import assert from "node:assert/strict";
import { beforeEach, expect, test, vi } from "vitest";

const items = new Map<string, string>();
const area = {
  getItem: (name: string) => items.get(name) ?? null,
  setItem: (name: string, value: string) => items.set(name, value),
  removeItem: (name: string) => items.delete(name),
};

async function page() {
  vi.resetModules();
  vi.stubGlobal("navigator", { language: "en" });
  vi.stubGlobal("window", {
    // Names of what is stored are the keys of a real one.
    localStorage: new Proxy(area, { ownKeys: () => [...items.keys()], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }) }),
    sessionStorage: area,
    location: { pathname: "/", search: "", origin: "http://127.0.0.1" },
    history: { pushState: () => undefined, replaceState: () => undefined },
    addEventListener: () => undefined,
  });
  const [options, { chat }] = await Promise.all([import("../lib/options"), import("../lib/chat")]);
  return { ...options, chat };
}

beforeEach(() => items.clear());

test("what was set before the first question becomes the conversation's", async () => {
  const first = await page();
  first.changeOptions({ system: "Be brief.", parameters: { temperature: 0 } });
  const asked = { ...first.chat.get(), messages: [{ role: "user" as const, content: "Hello" }] };
  first.chat.set(asked);
  assert.deepEqual(first.questionOptions(), { system: "Be brief.", parameters: { temperature: 0 }, attachments: [] });
  first.chat.set({ id: "other", messages: [], tree: [], phase: "idle" });
  assert.deepEqual(first.questionOptions(), { parameters: {}, attachments: [] });
  first.chat.set(asked);
  assert.equal(first.questionOptions().system, "Be brief.");
});

test("what was set before the first question survives a reload", async () => {
  const first = await page();
  first.changeOptions({ system: "Be brief." });
  const again = await page();
  assert.equal(again.questionOptions().system, "Be brief.");
});

test("a new conversation begins with the default, another one does not", async () => {
  const { keepAsDefault, questionOptions, chat } = await page();
  keepAsDefault({ system: "Always.", parameters: {} });
  assert.equal(questionOptions().system, "Always.");
  chat.set({ id: "old", messages: [{ role: "user", content: "Hello" }], tree: [], phase: "idle" });
  assert.equal(questionOptions().system, undefined);
});

test("a stored value that is none is passed over", async () => {
  items.set("venom.options.new", "{\"parameters\":7}");
  const { questionOptions } = await page();
  assert.deepEqual(questionOptions(), { parameters: {}, attachments: [] });
});

test("forgetting leaves nothing, or nothing of one conversation", async () => {
  const { changeOptions, forgetKept, keepAsDefault } = await page();
  changeOptions({ system: "Secret." });
  keepAsDefault({ system: "Mine.", parameters: {} });
  items.set("venom.draft.new", "Half a").set("venom.theme", "dark");
  forgetKept("new");
  expect([...items.keys()]).toEqual(["venom.options.default", "venom.theme"]);
  forgetKept();
  expect([...items.keys()]).toEqual(["venom.theme"]);
});

test("a request has only what was set", async () => {
  const { wireOptions } = await page();
  assert.deepEqual(wireOptions({ parameters: {} }), {});
  const form = { type: "json_object" };
  assert.deepEqual(wireOptions({ parameters: { top_k: 3 }, response_format: form, tools: [] }), { top_k: 3, response_format: form });
});
