import assert from "node:assert/strict";
import { test } from "vitest";
import { modifierName, shortcutOf } from "../lib/shortcuts";

const pressed = (key: string, more = {}) => ({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...more });

test("keys with Ctrl or Cmd work everywhere, letters only where nobody writes", () => {
  assert.equal(shortcutOf(pressed("k", { ctrlKey: true }), true), "find");
  assert.equal(shortcutOf(pressed("K", { metaKey: true }), false), "find");
  assert.equal(shortcutOf(pressed("O", { ctrlKey: true, shiftKey: true }), true), "new");
  assert.equal(shortcutOf(pressed("?", { shiftKey: true }), true), null);
  assert.equal(shortcutOf(pressed("?", { shiftKey: true }), false), "help");
  assert.equal(shortcutOf(pressed("/"), true), null);
  assert.equal(shortcutOf(pressed("/"), false), "write");
});

test("what a browser or a layout needs is left alone", () => {
  assert.equal(shortcutOf(pressed("o", { ctrlKey: true }), false), null);
  assert.equal(shortcutOf(pressed("k", { ctrlKey: true, altKey: true }), false), null);
  assert.equal(shortcutOf(pressed("k"), false), null);
});

test("the key beside the letter is called as it is there", () => {
  assert.deepEqual(["MacIntel", "Win32", "Linux x86_64"].map(modifierName), ["⌘", "Ctrl", "Ctrl"]);
});
