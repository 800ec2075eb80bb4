import assert from "node:assert/strict";
import { test } from "vitest";
import { openFence, splitBlocks } from "../lib/blocks";
import { makeFormat } from "../lib/format";
import { isCommand, sentenceAndCommand, sentenceParts, spoken } from "../lib/plain";
import { snippets, type Connection } from "../lib/snippets";

const ANSWER = `Intro with **bold**.

1. one

   still one

2. two
   - nested

After the list.

\`\`\`python
def f():

    return "\`\`"
\`\`\`

| a | b |
|---|---|
| 1 | 2 |
`;

test("blocks joined give the text back, whatever was received so far", () => {
  for (let end = 0; end <= ANSWER.length; end++) {
    const text = ANSWER.slice(0, end);
    assert.equal(splitBlocks(text).join(""), text);
  }
});

test("lists and fences stay whole, paragraphs are cut", () => {
  const starts = splitBlocks(ANSWER).map((block) => block.split("\n")[0]);
  assert.deepEqual(starts, ["Intro with **bold**.", "1. one", "After the list.", "```python", "| a | b |"]);
});

test("finished blocks never change while the answer grows", () => {
  let before: string[] = [];
  for (let end = 1; end <= ANSWER.length; end++) {
    const now = splitBlocks(ANSWER.slice(0, end));
    // "2" may become "2. two" and join the list before it; all before that are fixed.
    const fixed = before.slice(0, -2);
    assert.deepEqual(now.slice(0, fixed.length), fixed, `at character ${end}`);
    before = now;
  }
});

test("a fence is open until its closing mark", () => {
  assert.deepEqual(openFence("```js\nlet a;\n``"), { language: "js", code: "let a;\n``" });
  assert.equal(openFence("```js\nlet a;\n```"), null);
  assert.equal(openFence("no fence"), null);
  assert.deepEqual(openFence("~~~~\n~~~\n"), { language: "", code: "~~~\n" });
});

test("a fix is a command only when all of it can be pasted", () => {
  for (const fix of ["venom plugins install onnx", "OLLAMA_HOST=127.0.0.1:11434 venom serve", "venom run gemma3:4b"]) {
    assert.equal(isCommand(fix), true, fix);
  }
  for (const fix of ["Start Ollama, then try again.", "venom is not running", "venom run a; rm -rf /", "make sure it runs"]) {
    assert.equal(isCommand(fix), false, fix);
  }
});

test("a command after a colon is set apart, anything else stays a sentence", () => {
  const cut = { sentence: "Start it with:", command: "ollama serve" };
  assert.deepEqual(sentenceAndCommand("Start it with: ollama serve"), cut);
  assert.deepEqual(sentenceAndCommand("venom doctor"), { sentence: "", command: "venom doctor" });
  const name = "Name one of them: llamacpp://gemma3";
  assert.deepEqual(sentenceAndCommand(name), { sentence: name, command: null });
});

test("backticks are code, addresses are links, the rest is text", () => {
  assert.deepEqual(sentenceParts("Run `venom serve` now (or see https://ollama.com/download), please."), [
    { kind: "text", text: "Run " },
    { kind: "code", text: "venom serve" },
    { kind: "text", text: " now (or see " },
    { kind: "link", text: "https://ollama.com/download" },
    { kind: "text", text: "), please." },
  ]);
  assert.deepEqual(sentenceParts("a ` b"), [{ kind: "text", text: "a ` b" }]);
});

test("a long answer is spoken up to a word's end", () => {
  assert.deepEqual(spoken("**Hi** `you`", 20), { text: "Hi you", whole: true });
  assert.deepEqual(spoken("one two three", 9), { text: "one two", whole: false });
});

const CONNECTION = { baseUrl: "http://h/v1", model: "m", key: null, tools: true, images: false, contextLength: null };
const linesOf = (id: string, connection: Connection) => snippets(connection).find((snippet) => snippet.id === id)?.lines ?? "";

test("snippets survive a hostile model name and have a key only where one is needed", () => {
  const hostile = { ...CONNECTION, model: `a'b"c\\d` };
  const curl = linesOf("curl", hostile);
  assert.ok(!curl.includes("Authorization"));
  assert.ok(curl.includes(`'\\''`), "the quote is closed, escaped and opened again");
  assert.ok(linesOf("python", hostile).includes(`model=${JSON.stringify(hostile.model)}`));
  for (const { id, lines } of snippets({ ...CONNECTION, key: "vk_1" })) {
    // Zed keeps keys elsewhere.
    assert.equal(lines.includes("vk_1"), id !== "zed", id);
    assert.ok(lines.includes("http://h/v1"), id);
  }
});

test("a model that calls no tools is not offered to a tool that always sends them", () => {
  assert.equal(linesOf("zed", { ...CONNECTION, tools: false }), "");
  assert.ok(linesOf("zed", { ...CONNECTION, tools: null }).includes('"tools": true'));
  assert.ok(linesOf("continue", { ...CONNECTION, tools: false }).includes("capabilities: []"));
  assert.ok(linesOf("continue", { ...CONNECTION, images: true }).includes("capabilities: [tool_use, image_input]"));
});

test("figures are short in both languages", () => {
  const english = makeFormat("en");
  assert.equal(english.bytes(3_300_000_000), "3.3\u00a0GB");
  assert.equal(english.bytes(253_113_024), "253\u00a0MB");
  assert.equal(english.duration(84.4), "84\u00a0ms");
  assert.equal(english.duration(1240), "1.2\u00a0s");
  assert.equal(makeFormat("pl").rate(4.56), "4,6");
});
