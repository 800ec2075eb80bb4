import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import type { Area } from "../lib/i18n/area";
import { en } from "../lib/i18n/en";
import answers from "../lib/i18n/areas/answers";
import { pl } from "../lib/i18n/pl";
import { differences, type Texts } from "./texts";

test("Polish says what English says", () => {
  assert.deepEqual(differences(en, pl, ["model", "version"]), []);
});

const areas = readdirSync("lib/i18n/areas").filter((name) => name.endsWith(".ts"));

test.for(areas)("%s says the same in each language", async (file) => {
  const { default: texts } = (await import(`../lib/i18n/areas/${file}`)) as { default: Area<Texts> };
  assert.deepEqual(differences(texts.en, texts.pl, texts.alike), []);
});

test("what is left out, left in English or said of something else is found", () => {
  const english = { a: "One", b: "Two", c: (name: string) => `Three ${name}`, d: "Run `venom doctor`." };
  const wrong = { b: "Two", c: () => "Trzy", d: "Uruchom `venom`.", e: "Więcej" };
  expect(differences(english, wrong)).toEqual([
    "a is missing or empty", "b is not translated", "c has other arguments", "d has other commands", "e is missing or empty",
  ]);
});

test("Polish counts tokens as Polish does", () => {
  const said = [1, 2, 5, 12, 22, 105].map((count) => answers.pl.token_count(count, String(count)));
  assert.deepEqual(said, ["1 token", "2 tokeny", "5 tokenów", "12 tokenów", "22 tokeny", "105 tokenów"]);
});
