import { expect, test } from "vitest";
import { differencesOf, sentenceOf, timesOf } from "../lib/audit";
import audit from "../lib/i18n/areas/audit";
import keys from "../lib/i18n/areas/keys";
import { keyBody } from "../lib/key-form";
import { namesOf } from "../lib/user-agent";

function form(fields: Record<string, string>): FormData {
  const made = new FormData();
  for (const [name, value] of Object.entries(fields)) made.set(name, value);
  return made;
}

test("a form that is left alone asks for a key that may do everything", () => {
  const body = keyBody(form({ name: " laptop ", all: "all", scope_chat: "on", models: "", requests_per_day: "", tokens_per_day: "", expires_in_days: "" }));
  expect(body).toEqual({ name: "laptop", scopes: null, models: null, requests_per_day: null, tokens_per_day: null, expires_in_days: null });
});

test("scopes, models and limits are what was chosen, and the models are no scope", () => {
  const body = keyBody(form({ name: "a", all: "some", scope_chat: "on", models: "gemma3:*, qwen3:8b,", requests_per_day: "5", tokens_per_day: "", expires_in_days: "30" }));
  expect(body).toEqual({ name: "a", scopes: ["chat"], models: ["gemma3:*", "qwen3:8b"], requests_per_day: 5, tokens_per_day: null, expires_in_days: 30 });
});

test("a browser is called by its name and its system", () => {
  const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
  const edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36 Edg/142.0";
  const phone = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Mobile Safari/537.36";
  expect([firefox, edge, phone, "curl/8"].map(namesOf)).toEqual([
    { browser: "Firefox", system: "Linux" }, { browser: "Edge", system: "Windows" }, { browser: "Chrome", system: "Android" }, { browser: null, system: null },
  ]);
});

test("an entry of the trail is a sentence, one of a newer server its own name", () => {
  expect(sentenceOf(audit.en, { action: "key.create" }, "laptop")).toBe("Made the key laptop");
  expect(sentenceOf(audit.pl, { action: "model.unload_all" }, "every provider")).toBe("Zwolnienie wszystkich modeli");
  expect(sentenceOf(audit.en, { action: "moon.reach" }, "soon")).toBe("moon.reach: soon");
});

test("only what differs is shown, whatever it is", () => {
  expect(differencesOf({ before: { a: 1, b: "x", c: null }, after: { a: 1, b: ["y"], d: false } })).toEqual([
    { field: "b", before: "x", after: '["y"]' }, { field: "d", before: undefined, after: "false" },
  ]);
  expect(differencesOf({ before: null, after: null })).toEqual([]);
});

test("what is counted in one entry says how often", () => {
  expect(timesOf({ after: { times: 3, last_at: "2026-11-01T10:00:00Z" } })).toEqual({ times: 3, last: "2026-11-01T10:00:00Z" });
  expect(timesOf({ after: { times: "3" } })).toBeNull();
  expect([1, 2, 5].map((count) => keys.pl.requests_a_day(count, String(count)))).toEqual(["1 żądanie na dobę", "2 żądania na dobę", "5 żądań na dobę"]);
});
