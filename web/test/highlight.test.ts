import assert from "node:assert/strict";
import { test } from "vitest";
import { languageTitle } from "../lib/code-languages";
import { highlighted, type Highlighted } from "../lib/highlight";

type Node = Highlighted["children"][number];
const textOf = (nodes: Node[]): string =>
  nodes.map((node) => (node.type === "text" ? node.value : node.type === "element" ? textOf(node.children) : "")).join("");

test("a language is named as its people write it, whatever it was called", () => {
  assert.deepEqual(["py", "C++", "tsx", "Rust", "brainfuck", "", "constructor"].map(languageTitle), [
    "Python", "C++", "TypeScript", "Rust", "brainfuck", "", "constructor",
  ]);
});

test("highlighting changes no character", async () => {
  const code = "def f(x):\n    return \"<b>\"  # so\n";
  const tree = await highlighted("py", code);
  assert.ok(tree);
  assert.equal(textOf(tree.children), code);
  assert.ok(tree.children.some((node) => node.type === "element" && String(node.properties.className) === "hljs-keyword"));
});

test("what has no grammar, or is too long, stays plain", async () => {
  assert.equal(await highlighted("brainfuck", "+."), null);
  assert.equal(await highlighted("", "x"), null);
  assert.equal(await highlighted("python", "x".repeat(100_001)), null);
});
