import assert from "node:assert/strict";
import { test } from "vitest";
import { draftOf, fieldOf, isChanged, problemOf, updatesOf, valueOf, type FieldSchema } from "../lib/setting-fields";

const whole: FieldSchema = { type: "integer", minimum: 1, maximum: 8 };
const list: FieldSchema = { type: "array", items: { type: "string" } };
const choice: FieldSchema = { type: "array", items: { type: "string", enum: ["a", "b"] } };
const secret: FieldSchema = { type: "string", writeOnly: true };

const setting = (more: object) => ({ key: "providers.lab.x", value: null, origin: "default" as const, env: "VENOM_LAB_X", help: "", ...more });

test("a number is checked by its type and its bounds, an empty field is none", () => {
  const found = ["", "3", "0", "9", "2.5", "two", "1e999"].map((draft) => problemOf(whole, draft));
  assert.deepEqual(found, [null, null, "too_small", "too_large", "not_whole", "not_number", "not_number"]);
  assert.equal(problemOf({ type: "number" }, "0,5"), null, "people write a comma");
  assert.equal(problemOf({ type: "string", format: "uri" }, "a b"), "not_url");
});

test("a draft gives the value of the setting's type", () => {
  assert.equal(valueOf(whole, " 4 "), 4);
  assert.equal(valueOf({ type: "number" }, "0,5"), 0.5);
  assert.equal(valueOf({ type: "string" }, "  "), null);
  assert.deepEqual(valueOf(list, "a\n\n b "), ["a", "b"]);
  assert.deepEqual(valueOf(choice, ["b"]), ["b"]);
  assert.equal(valueOf({ type: "boolean" }, false), false);
});

test("a secret is never shown, and what is not written into it leaves it alone", () => {
  const field = fieldOf(setting({ value: "********", origin: "file" }), secret);
  assert.equal(draftOf(field), "");
  assert.equal(isChanged(field, ""), false);
  assert.deepEqual(updatesOf([field], new Map([[field.key, ""]])), {});
  assert.deepEqual(updatesOf([field], new Map([[field.key, " new"]])), { "providers.lab.x": " new" });
  assert.deepEqual(updatesOf([field], new Map([[field.key, null]])), { "providers.lab.x": null });
});

test("only what differs is sent", () => {
  const field = fieldOf(setting({ value: 4 }), whole);
  assert.deepEqual(updatesOf([field], new Map([[field.key, "4"]])), {});
  assert.deepEqual(updatesOf([field], new Map([[field.key, "5"]])), { "providers.lab.x": 5 });
  assert.deepEqual(updatesOf([fieldOf(setting({ value: ["a"] }), choice)], new Map([["providers.lab.x", ["a"]]])), {});
});

test("what the environment sets says which variable does", () => {
  assert.equal(fieldOf(setting({ origin: "env", variable: "LAB_X" }), whole).fixedBy, "LAB_X");
  assert.equal(fieldOf(setting({ origin: "env" }), whole).fixedBy, "VENOM_LAB_X");
  assert.equal(fieldOf(setting({ origin: "file" }), whole).fixedBy, null);
});
