import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "vitest";
import { fixesFor, refusedOption } from "../lib/fixes";

const error = (code: string, param?: string) => ({ code, message: "It is refused.", param });

test("asking again is always offered, and stands where it is likeliest to help", () => {
  assert.deepEqual(fixesFor(error("context_length_exceeded")), ["new_chat", "choose_model", "retry"]);
  assert.deepEqual(fixesFor(error("upstream_timeout")), ["retry"]);
  assert.deepEqual(fixesFor(error("ollama_down")), ["retry", "choose_model"]);
});

test("only an option that the page itself set can be left out", () => {
  assert.equal(refusedOption(error("unsupported_parameter", "response_format.json_schema")), "response_format");
  assert.equal(refusedOption(error("unsupported_parameter", "messages[0].role")), null);
  assert.equal(refusedOption(error("model_not_found", "model")), null);
  assert.ok(fixesFor(error("unsupported_parameter", "top_k")).includes("leave_out"));
  assert.ok(!fixesFor(error("unsupported_parameter", "messages[0].role")).includes("leave_out"));
});

test("every code is one that the server has", () => {
  const documented = readFileSync("../docs/errors.md", "utf8");
  const source = readFileSync("lib/fixes.ts", "utf8");
  const codes = [...source.matchAll(/^ {2}(\w+): \[/gm)].map(([, code]) => code ?? "");
  assert.ok(codes.length > 20);
  assert.deepEqual(codes.filter((code) => !documented.includes(`### \`${code}\``)), []);
});
