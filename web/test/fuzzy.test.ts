import assert from "node:assert/strict";
import { test } from "vitest";
import { fuzzyScore, ranked } from "../lib/fuzzy";

const found = (typed: string, ...texts: string[]) => ranked(typed, texts, (text) => text);

test("whole words come before beginnings of words, and these before strewn letters", () => {
  assert.deepEqual(found("mod", "Choose a model", "My old demo", "Models", "Usage"), ["Models", "Choose a model", "My old demo"]);
});

test("letters in order are enough where they stand close or begin words", () => {
  assert.notEqual(fuzzyScore("gm3", "gemma3:4b"), null);
  assert.equal(fuzzyScore("3mg", "gemma3:4b"), null);
  assert.equal(fuzzyScore("xyz", "gemma3:4b"), null);
});

test("marks and case make no difference, and every word must be found", () => {
  assert.notEqual(fuzzyScore("zolw", "Żółw i zając"), null);
  assert.notEqual(fuzzyScore("zajac ZOLW", "Żółw i zając"), null);
  assert.equal(fuzzyScore("żółw pies", "Żółw i zając"), null);
});

test("nothing typed finds everything in its order", () => {
  assert.deepEqual(found(" ", "b", "a"), ["b", "a"]);
});
