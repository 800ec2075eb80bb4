import { expect, test } from "vitest";
import { IDLE, progressed, segments, translate, type Progress } from "../lib/translation";

const WANTED = { text: "Hello {name}", target_lang: "pl", source_lang: null, use_cache: true } as const;

async function told(...events: [string, unknown][]): Promise<Progress[]> {
  const body = events.map(([name, data]) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`).join("");
  globalThis.fetch = async () => new Response(body, { headers: { "Content-Type": "text/event-stream" } });
  const seen: Progress[] = [];
  await translate(WANTED, new AbortController().signal, (now) => seen.push(now));
  return seen;
}

test("a translation grows and is at last what the server says is whole", async () => {
  const view = { translated_text: "Witaj {name}", target_lang: "pl", source_lang: null, model: "a://m", cached: false };
  const seen = await told(["start", { protected: ["{name}"] }], ["content", { text: "Wit" }], ["content", { text: "aj" }], ["done", view]);
  expect(seen.map((one) => [one.status, one.text])).toEqual([["asked", ""], ["writing", ""], ["writing", "Wit"], ["writing", "Witaj"], ["done", "Witaj {name}"]]);
  expect(seen.at(-1)).toMatchObject({ kept: ["{name}"], model: "a://m", cached: false });
});

test("what came before a restart counts for nothing", async () => {
  const seen = await told(["start", { protected: [] }], ["content", { text: "wrong" }], ["restart", {}], ["content", { text: "ri" }]);
  expect(seen.at(-2)).toMatchObject({ text: "ri", again: true });
  expect(seen.at(-1)).toMatchObject({ status: "failed", error: { code: "client_incomplete" } });
});

test("an error of the stream is the server's record", async () => {
  const seen = await told(["start", { protected: [] }], ["error", { code: "translation_damaged", message: "No.", fix: "Try again.", docs: null }]);
  expect(seen.at(-1)).toMatchObject({ status: "failed", error: { code: "translation_damaged", message: "No.", fix: "Try again." } });
});

test("who stops it has what came", async () => {
  const ended = new AbortController();
  globalThis.fetch = async (_, init) => {
    ended.abort();
    init?.signal?.throwIfAborted();
    return new Response("");
  };
  const seen: Progress[] = [];
  await translate(WANTED, ended.signal, (now) => seen.push(now));
  expect(seen.map((one) => one.status)).toEqual(["asked", "stopped"]);
});

test("events of a newer server change nothing", () => {
  expect(progressed(IDLE, "moon", {})).toBe(IDLE);
});

test("what stays as it is is marked, the longer part first", () => {
  expect(segments("a {x} b {x}{xy}", ["{x}", "{xy}"])).toEqual([
    { text: "a ", kept: false }, { text: "{x}", kept: true }, { text: " b ", kept: false }, { text: "{x}", kept: true }, { text: "{xy}", kept: true },
  ]);
  expect(segments("abab", ["ab", "abab"])).toEqual([{ text: "abab", kept: true }]);
  expect(segments("whole", [])).toEqual([{ text: "whole", kept: false }]);
});
