import { readFileSync } from "node:fs";
import { beforeEach, expect, test, vi } from "vitest";
import texts from "../lib/i18n/areas/self-test";
import { signedIn } from "../lib/key";
import { queries } from "../lib/queries";
import {
  advanced, cancelSelfTest, counted, grouped, selfTests, settleSelfTest, startSelfTest, type Question, type Row, type SelfTestRun,
} from "../lib/self-tests";

const MODEL = "a://org/m";
const QUESTIONS: Question[] = [{ group: "answers", name: "chat" }, { group: "tools", name: "auto" }];
const CHAT: Row = { group: "answers", name: "chat", outcome: "honoured", note: null };
const AUTO: Row = { group: "tools", name: "auto", outcome: "broken", note: "no" };
const START: [string, unknown] = ["start", { reference: MODEL, questions: QUESTIONS }];

/** A stream that is open until it is closed or given up. */
function streamed() {
  const encoder = new TextEncoder();
  let sink: ReadableStreamDefaultController<Uint8Array>;
  const asked: string[] = [];
  globalThis.fetch = async (url, init) => {
    asked.push(`${init?.method} ${String(url)}`);
    const body = new ReadableStream<Uint8Array>({ start: (control) => void (sink = control) });
    init?.signal?.addEventListener("abort", () => sink.error(new DOMException("gone", "AbortError")));
    return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
  };
  return {
    asked,
    send: (...events: [string, unknown][]) => {
      for (const [name, data] of events) sink.enqueue(encoder.encode(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`));
    },
    close: () => sink.close(),
  };
}

const now = (): SelfTestRun => selfTests.get()[MODEL]!;

beforeEach(() => selfTests.set({}));

test("a test tells of each row, and asks the models anew before it says that it is done", async () => {
  const stream = streamed();
  const order: string[] = [];
  const invalidate = vi.spyOn(queries, "invalidateQueries").mockImplementation(async () => void order.push("asked anew"));
  const stop = selfTests.subscribe(() => order.push(`${now().status} ${now().rows.length} of ${now().questions.length}`));
  const ended = startSelfTest(MODEL);
  await vi.waitFor(() => expect(stream.asked).toEqual(["POST /api/v1/models/a%3A%2F%2Forg%2Fm/selftest/run"]));
  stream.send(START, ["row", CHAT], ["row", AUTO], ["done", {}]);
  stream.close();
  await ended;
  stop();
  invalidate.mockRestore();
  expect(order).toEqual(["running 0 of 0", "running 0 of 2", "running 1 of 2", "running 2 of 2", "asked anew", "done 2 of 2"]);
});

test("a second click begins no second one", async () => {
  const stream = streamed();
  const ended = startSelfTest(MODEL);
  await startSelfTest(MODEL);
  await vi.waitFor(() => expect(stream.asked).toHaveLength(1));
  cancelSelfTest(MODEL);
  await ended;
  expect(now().status).toBe("cancelled");
  settleSelfTest(MODEL);
  expect(selfTests.get()).toEqual({});
});

test("one that is cancelled says so, and one under way is not forgotten", async () => {
  const stream = streamed();
  const ended = startSelfTest(MODEL);
  await vi.waitFor(() => expect(stream.asked).toHaveLength(1));
  stream.send(START, ["row", CHAT]);
  await vi.waitFor(() => expect(now().rows).toHaveLength(1));
  settleSelfTest(MODEL);
  expect(now().status).toBe("running");
  cancelSelfTest(MODEL);
  await ended;
  expect(now()).toMatchObject({ status: "cancelled", error: null });
});

test("an error of the stream is the server's record, and a stream that is cut says so", async () => {
  for (const [last, code] of [[["error", { code: "llm_off", message: "No.", fix: "On." }], "llm_off"], [["row", CHAT], "client_incomplete"]] as const) {
    const stream = streamed();
    const ended = startSelfTest(MODEL);
    await vi.waitFor(() => expect(stream.asked).toHaveLength(1));
    stream.send(START, last as [string, unknown]);
    stream.close();
    await ended;
    expect(now()).toMatchObject({ status: "failed", error: { code } });
  }
});

test("who signs in sees nothing of who was there before", async () => {
  const stream = streamed();
  const ended = startSelfTest(MODEL);
  await vi.waitFor(() => expect(stream.asked).toHaveLength(1));
  signedIn.set({ key: "same" });
  expect(now().status).toBe("running"); // it waited for the key
  stream.send(START);
  await vi.waitFor(() => expect(now().questions).toHaveLength(2));
  signedIn.set({ key: "other" });
  expect(selfTests.get()).toEqual({});
  await ended;
  expect(selfTests.get()).toEqual({});
});

test("events of a newer server change nothing", () => {
  const run: SelfTestRun = { status: "running", questions: QUESTIONS, rows: [], error: null };
  expect(advanced(run, "moon", {})).toBe(run);
});

test("rows stand in their groups and are counted, what there is none of is left out", () => {
  expect(grouped([CHAT, AUTO, { ...CHAT, name: "stream" }])).toEqual([
    { name: "answers", rows: [CHAT, { ...CHAT, name: "stream" }] }, { name: "tools", rows: [AUTO] },
  ]);
  expect(counted([AUTO, CHAT, { ...CHAT, name: "stream" }])).toEqual([["honoured", 2], ["broken", 1]]);
});

test("every question that the server asks has words in each language", () => {
  const { operations } = JSON.parse(readFileSync("../venom_core/api/openapi/examples.json", "utf8")) as {
    operations: Record<string, Record<string, { answer: string }>>;
  };
  const start = operations.run_self_test!.example!.answer.split("\n")[1]!.slice("data: ".length);
  const { questions } = JSON.parse(start) as { questions: Question[] };
  expect(questions.length).toBeGreaterThan(30);
  const wanted = questions.flatMap(({ group, name }) => [`group ${group}`, `${group} ${name}`]);
  for (const words of [texts.en, texts.pl]) expect(wanted.filter((key) => !(key in words))).toEqual([]);
});
