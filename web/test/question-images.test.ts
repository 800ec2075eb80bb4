import assert from "node:assert/strict";
import type { MessageRecord } from "../lib/api/types";
import { test } from "vitest";
import { messageOf, questionDetails, wireMessages } from "../lib/conversation";

const image = { kind: "image" as const, name: "a.png", data: "data:image/png;base64,AA==" };

const record = (details: unknown) =>
  ({ id: "1", role: "user", content: "What is it?", details, parent_message_id: null, model: null, created_at: "" }) as MessageRecord;

test("images are kept beside the question, read again, and told again", () => {
  const kept = questionDetails({ role: "user", content: "What is it?", images: [image] });
  assert.deepEqual(kept, { images: [{ name: "a.png", data: image.data }] });
  const read = messageOf(record(kept));
  assert.deepEqual(wireMessages([read]), [
    { role: "user", content: [{ type: "text", text: "What is it?" }, { type: "image_url", image_url: { url: image.data } }] },
  ]);
});

test("what is no image is not shown and not sent", () => {
  for (const images of ["x", [null], [{ data: "https://example.org/a.png" }], [{ data: 7 }]]) {
    assert.equal(wireMessages([messageOf(record({ images }))])[0]?.content, "What is it?");
  }
});

test("instructions of the chat take the place of those that the conversation began with", () => {
  const talk = [{ role: "system" as const, content: "Old." }, { role: "user" as const, content: "Hello" }];
  assert.deepEqual(wireMessages(talk), talk);
  assert.deepEqual(wireMessages(talk, "New."), [{ role: "system", content: "New." }, talk[1]]);
});
