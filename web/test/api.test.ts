import assert from "node:assert/strict";
import { afterEach, test } from "vitest";
import { streamChat } from "../lib/api";
import { api } from "../lib/api/client";
import { ApiError, errorFrom } from "../lib/errors";
import { language } from "../lib/i18n";
import { allowAsking, answerKey, keyPrompt } from "../lib/key";

const getModels = () => api.GET("/api/v1/models").then(({ data }) => data?.models);

const realFetch = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = realFetch;
});

interface Sent {
  path: string;
  body: unknown;
  authorization: string | null;
  language: string | null;
}

/** Answers from a script, in order; the requests are kept. */
function scripted(...answers: (Response | Error)[]): Sent[] {
  const sent: Sent[] = [];
  globalThis.fetch = async (path, init) => {
    const headers = new Headers(init?.headers);
    sent.push({
      path: String(path),
      body: init?.body ? JSON.parse(String(init.body)) : null,
      authorization: headers.get("Authorization"),
      language: headers.get("Accept-Language"),
    });
    const answer = answers.shift();
    if (!answer) assert.fail(`no answer is left for ${String(path)}`);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return sent;
}

const stream = (...events: string[]) =>
  new Response(events.map((data) => `data: ${data}\n\n`).join(""), { headers: { "Venom-Model": "ollama://a" } });
const delta = (content: string) => JSON.stringify({ choices: [{ index: 0, delta: { content } }] });
const HELLO = [{ role: "user", content: "hi" }] as const;

async function chat(): Promise<string> {
  let text = "";
  for await (const piece of streamChat("a", [...HELLO], new AbortController().signal)) text += piece.content ?? "";
  return text;
}

async function thrownBy(work: () => Promise<unknown>): Promise<ApiError> {
  try {
    await work();
  } catch (thrown) {
    assert.ok(thrown instanceof ApiError, String(thrown));
    return thrown;
  }
  return assert.fail("nothing was thrown");
}

test("a chat asks for usage and yields content, finish, usage and the resolved model", async () => {
  const usage = { prompt_tokens: 3, completion_tokens: 2 };
  const sent = scripted(
    stream(
      JSON.stringify({ choices: [{ delta: { role: "assistant" } }] }),
      delta("Hel"),
      delta("lo"),
      JSON.stringify({ choices: [{ delta: {}, finish_reason: "stop" }], usage: null }),
      JSON.stringify({ choices: [], usage }),
      "[DONE]",
    ),
  );
  const pieces = [];
  for await (const piece of streamChat("a", [...HELLO], new AbortController().signal)) pieces.push(piece);
  assert.equal(pieces[0]?.resolved, "ollama://a");
  assert.equal(pieces.map((piece) => piece.content ?? "").join(""), "Hello");
  assert.deepEqual(pieces.map((piece) => piece.finish).filter(Boolean), ["stop"]);
  assert.deepEqual(pieces.at(-1)?.usage, usage);
  assert.deepEqual(sent[0]?.body, { model: "a", messages: HELLO, stream: true, stream_options: { include_usage: true } });
});

test("a sentence about why an answer ended comes with its finish", async () => {
  const choice = { delta: {}, finish_reason: "length", finish_note: "It repeated itself." };
  scripted(stream(delta("a"), JSON.stringify({ choices: [choice] }), "[DONE]"));
  const notes = [];
  for await (const piece of streamChat("a", [...HELLO], new AbortController().signal)) notes.push(piece.note);
  assert.deepEqual(notes, [undefined, undefined, "It repeated itself."]);
});

test("who waits hears the places from the stream's comments, and asks for them", async () => {
  const asked: (string | null)[] = [];
  const lines = [": queue 2", ": ping", ": queue 1", ": queue x", ": queue 0", `data: ${delta("a")}`, "data: [DONE]"];
  globalThis.fetch = async (_, init) => {
    asked.push(new Headers(init?.headers).get("Venom-Queue"));
    return new Response(lines.map((line) => `${line}\n\n`).join(""));
  };
  const places: number[] = [];
  const pieces = [];
  for await (const piece of streamChat("a", [...HELLO], new AbortController().signal, (place) => places.push(place)))
    pieces.push(piece.content ?? "");
  assert.deepEqual(places, [2, 1, 0]);
  assert.equal(pieces.join(""), "a");
  assert.deepEqual(asked, ["1"]);
});

test("an error event is thrown with its fix, after what came before it", async () => {
  const error = { message: "The engine stopped.", type: "server_error", param: null, code: "engine_died", fix: "Try again." };
  scripted(stream(delta("part"), JSON.stringify({ error }), "[DONE]"));
  const thrown = await thrownBy(chat);
  assert.deepEqual([thrown.code, thrown.message, thrown.fix], ["engine_died", "The engine stopped.", "Try again."]);
});

test("an end without [DONE] is an error, not an answer", async () => {
  scripted(stream(delta("part")));
  assert.equal((await thrownBy(chat)).code, "client_incomplete");
});

test("nobody there and no JSON are told apart", async () => {
  scripted(new TypeError("Failed to fetch"));
  assert.equal((await thrownBy(getModels)).code, "client_unreachable");
  scripted(new Response("<html>", { status: 200 }));
  assert.equal((await thrownBy(getModels)).code, "client_bad_answer");
});

test("errors of /v1 and of /api/v1 give the same record", () => {
  const v1 = errorFrom({ error: { message: "m", code: "c", fix: "f", type: "t", param: null } }, 400);
  const own = errorFrom({ detail: "m", code: "c", fix: "f", docs: null, param: null }, 400);
  assert.deepEqual(v1.record(), own.record());
  assert.equal(errorFrom(null, 502).message, "HTTP 502");
  assert.equal(errorFrom({ detail: [{ loc: ["x"] }] }, 422).message, "HTTP 422");
});

test("every request asks for the language chosen here, and an error keeps the one it was said in", async () => {
  const refusal = (lang?: string) =>
    Response.json({ detail: "m", code: "c" }, { status: 400, headers: lang ? { "Content-Language": lang } : {} });
  const error = JSON.stringify({ error: { message: "m", code: "c" } });
  const sent = scripted(refusal("pl"), stream(error, "[DONE]"), refusal());
  language.set("pl");
  assert.equal((await thrownBy(getModels)).lang, "pl");
  assert.equal((await thrownBy(chat)).record().lang, "pl");
  language.set("en");
  assert.equal((await thrownBy(getModels)).lang, "en");
  assert.deepEqual(sent.map((one) => one.language), ["pl", "pl", "en"]);
});

const refused = () => Response.json({ detail: "A key is needed.", code: "invalid_api_key", fix: "f" }, { status: 401 });

test("a 401 asks once for all who wait, signs in, then sends again; the key goes nowhere else", async () => {
  const models = () => Response.json({ models: [] });
  const sent = scripted(refused(), refused(), Response.json({ success: true }), models(), models());
  const both = Promise.all([getModels(), getModels()]);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(keyPrompt.get()?.refusal.code, "invalid_api_key");
  await answerKey("secret");
  assert.deepEqual(await both, [[], []]);
  assert.deepEqual(sent.map((one) => one.authorization), [null, null, null, null, null]);
  assert.deepEqual(sent[2], { ...sent[2], path: "/api/v1/session", body: { key: "secret" } });
  assert.equal(sent.filter((one) => JSON.stringify(one).includes("secret")).length, 1);
});

test("a key that is refused leaves the dialog open, and closing it ends the waiting", async () => {
  scripted(refused(), refused());
  const wrong = thrownBy(getModels);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(keyPrompt.get()?.again, false);
  await answerKey("nonsense");
  assert.equal(keyPrompt.get()?.again, true);
  await answerKey(null);
  assert.equal((await wrong).status, 401);
  assert.equal(keyPrompt.get(), null);
});

test("where the server cannot be reached while signing in, the dialog says so", async () => {
  allowAsking();
  scripted(refused(), new TypeError("gone"));
  const wrong = thrownBy(getModels);
  await new Promise((resolve) => setTimeout(resolve, 5));
  await answerKey("secret");
  assert.equal(keyPrompt.get()?.refusal.code, "client_unreachable");
  await answerKey(null);
  assert.equal((await wrong).status, 401);
});
