import assert from "node:assert/strict";
import { test } from "vitest";
import { splitFiles, wireContent, withFiles } from "../lib/attachments";

test("text files stand in the question under their names, in a fence that they cannot close", () => {
  const files = [
    { kind: "file" as const, name: "notes.md", text: "Look:\n```\ncode\n```\n" },
    { kind: "file" as const, name: "plain", text: "one" },
  ];
  assert.equal(withFiles("What is this?", files), "What is this?\n\nnotes.md\n````md\nLook:\n```\ncode\n```\n````\n\nplain\n```\none\n```");
  assert.equal(withFiles("", files.slice(1)), "plain\n```\none\n```");
  assert.equal(withFiles("only words", []), "only words");
});

test("a question with images is sent in parts, one without as a text", () => {
  const image = { kind: "image" as const, name: "a.png", data: "data:image/png;base64,AA==" };
  assert.equal(wireContent("hello"), "hello");
  assert.deepEqual(wireContent("What is it?", [image]), [
    { type: "text", text: "What is it?" },
    { type: "image_url", image_url: { url: image.data } },
  ]);
  assert.deepEqual(wireContent("", [image]), [{ type: "image_url", image_url: { url: image.data } }]);
});

test("files are told apart from the words again, whatever is in them", () => {
  const files = [
    { kind: "file" as const, name: "notes.md", text: "Look:\n\nx\n```\ncode\n```" },
    { kind: "file" as const, name: "a b.py", text: "print(1)\n\nprint(2)" },
    { kind: "file" as const, name: "plain", text: "one" },
  ];
  assert.deepEqual(splitFiles(withFiles("What is this?\n\nReally.", files)), { words: "What is this?\n\nReally.", files });
  assert.deepEqual(splitFiles(withFiles("", files)), { words: "", files });
});

test("code that a person wrote stays a part of the words", () => {
  for (const words of ["Why?\n\n```py\nprint(1)\n```", "```\nx\n```", "no code", "open\n```"]) {
    assert.deepEqual(splitFiles(words), { words, files: [] });
  }
});
