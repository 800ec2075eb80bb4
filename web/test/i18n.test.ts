import assert from "node:assert/strict";
import { test } from "node:test";
import { en } from "../lib/i18n/en";
import { pl } from "../lib/i18n/pl";

/** Words that both languages write alike. */
const SAME = new Set(["model", "version"]);

type Texts = Record<string, string | ((...args: never[]) => string)>;

/** A function's text with marked arguments, so that what it does with them can be compared. */
function rendered(value: Texts[string]): string {
  if (typeof value === "string") return value;
  const call = value as (...args: unknown[]) => string;
  return call(...Array.from({ length: value.length }, (_, at) => `‹${at}›`));
}

const marks = (text: string) => [...text.matchAll(/‹\d›/g)].map(String).sort();
const codes = (text: string) => [...text.matchAll(/`[^`]+`/g)].map(String);

test("Polish has exactly the English keys", () => {
  assert.deepEqual(Object.keys(pl).sort(), Object.keys(en).sort());
});

test("no text is empty or left in English", () => {
  for (const key of Object.keys(en)) {
    const [english, polish] = [rendered((en as Texts)[key] ?? ""), rendered((pl as Texts)[key] ?? "")];
    assert.notEqual(polish.trim(), "", key);
    if (!SAME.has(key)) assert.notEqual(polish, english, `${key} is not translated`);
  }
});

test("translations use the same arguments and commands", () => {
  for (const key of Object.keys(en)) {
    const [english, polish] = [rendered((en as Texts)[key] ?? ""), rendered((pl as Texts)[key] ?? "")];
    // English spells one token out; the other arguments must all be there.
    if (key !== "token_count") assert.deepEqual(marks(polish), marks(english), key);
    const commands = codes(polish).map((code) => code.replace("NAZWA", "NAME"));
    assert.deepEqual(commands, codes(english), key);
  }
});

test("Polish counts tokens as Polish does", () => {
  const said = [1, 2, 5, 12, 22, 105].map((count) => pl.token_count(count, String(count)));
  assert.deepEqual(said, ["1 token", "2 tokeny", "5 tokenów", "12 tokenów", "22 tokeny", "105 tokenów"]);
});
