import assert from "node:assert/strict";
import { test } from "vitest";
import { readEvents } from "../lib/sse";

/** A body that arrives in exactly these pieces, and says whether it was cancelled. */
function body(pieces: Uint8Array[], close = true) {
  const state = { cancelled: false };
  let at = 0;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = pieces[at++];
        if (piece) controller.enqueue(piece);
        else if (close) controller.close();
      },
      cancel() {
        state.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, state };
}

async function collect(pieces: Uint8Array[]): Promise<string[]> {
  const events: string[] = [];
  for await (const data of readEvents(body(pieces).stream)) events.push(data);
  return events;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const EVENTS = ['{"a":"zażółć gęślą jaźń"}', '{"b":"日本語 🐍 e\u0301"}', '{"error":{"code":"x"}}', "[DONE]"];

for (const [name, end] of [["LF", "\n"], ["CRLF", "\r\n"], ["CR", "\r"]] as const) {
  // The last event has two lines: a CRLF cut in half must not look like the end of the first.
  const events = [...EVENTS, "one\ntwo"];
  const lines = (data: string) => data.split("\n").map((line) => `data: ${line}${end}`).join("");
  const wire = bytes(`: ping${end}${end}` + events.map((data) => lines(data) + end).join(""));

  test(`${name}: every single cut gives the same events`, async () => {
    for (let cut = 0; cut <= wire.length; cut++) {
      assert.deepEqual(await collect([wire.slice(0, cut), wire.slice(cut)]), events, `cut at byte ${cut}`);
    }
  });

  test(`${name}: one byte at a time`, async () => {
    assert.deepEqual(await collect([...wire].map((byte) => Uint8Array.of(byte))), events);
  });
}

test("several data lines are one event, joined by newlines", async () => {
  assert.deepEqual(await collect([bytes("data: one\ndata:two\ndata:  three\n\n")]), ["one\ntwo\n three"]);
});

test("comments, other fields and empty events are passed over", async () => {
  const wire = ": hello\n\nevent: message\nid: 7\nretry: 10\n\n\n\ndata: x\n\n";
  assert.deepEqual(await collect([bytes(wire)]), ["x"]);
});

test("an event that the end cuts is dropped", async () => {
  assert.deepEqual(await collect([bytes('data: {"whole":1}\n\ndata: {"half"')]), ['{"whole":1}']);
  assert.deepEqual(await collect([bytes("data: line without the blank one\n")]), []);
});

test("bytes that are no UTF-8 become a replacement character, not an exception", async () => {
  const wire = new Uint8Array([...bytes("data: a"), 0xff, ...bytes("b\n\n")]);
  assert.deepEqual(await collect([wire]), ["a\ufffdb"]);
});

test("leaving the loop cancels the body", async () => {
  const { stream, state } = body([bytes("data: 1\n\n"), bytes("data: 2\n\n")], false);
  for await (const data of readEvents(stream)) {
    assert.equal(data, "1");
    break;
  }
  assert.equal(state.cancelled, true);
});

test("a broken body raises its own error", async () => {
  const broken = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.error(new TypeError("network error"));
    },
  });
  await assert.rejects(async () => {
    for await (const data of readEvents(broken)) assert.fail(data);
  }, /network error/);
});
