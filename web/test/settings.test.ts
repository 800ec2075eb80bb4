import assert from "node:assert/strict";
import { test } from "vitest";
import { signedIn } from "../lib/key";
import {
  changeOf, changesOf, draft, drafts, grouped, matches, read, settingsOf, typedFrom, undraft, type ConfigView, type Form, type Setting,
} from "../lib/settings";

const setting = (form: Form, more: Partial<Setting> = {}): Setting => ({
  name: "VENOM_X", key: "chat.x", group: "chat", form, value: null, origin: "default", secret: false, restart: false, waits: false,
  fixedBy: null, words: ["VENOM_X", "chat.x", "Seconds to wait."], ...more,
});
const whole = setting({ type: "integer", minimum: 0, maximum: 65535, default: 8366 }, { value: 8366 });

test("a number is read as people write it, and refused by its type and bounds", () => {
  assert.deepEqual(read(whole, " 9 000 "), { value: 9000 });
  assert.deepEqual(read(whole, "70000"), { problem: { kind: "most", bound: 65535 } });
  assert.deepEqual(read(whole, "-1"), { problem: { kind: "least", bound: 0 } });
  assert.deepEqual(read(whole, "1.5"), { problem: { kind: "whole" } });
  assert.deepEqual(read(whole, "many"), { problem: { kind: "whole" } });
  assert.deepEqual(read(setting({ type: "number" }), "0,5"), { value: 0.5 });
  assert.deepEqual(read(setting({ type: "number" }), "x"), { problem: { kind: "number" } });
  assert.deepEqual(read(whole, ""), { value: null });
});

test("addresses, choices and lists are read line by line", () => {
  const url = setting({ type: "string", format: "uri" });
  assert.deepEqual(read(url, "localhost:11434"), { value: "localhost:11434" });
  assert.deepEqual(read(url, "ftp://a"), { problem: { kind: "url" } });
  assert.deepEqual(read(url, "http://a b"), { problem: { kind: "url" } });
  assert.deepEqual(read(setting({ type: "string", enum: ["a", "b"] }), "c"), { problem: { kind: "choice", choices: ["a", "b"] } });
  const list = setting({ type: "array", items: { type: "string" }, default: [] });
  assert.deepEqual(read(list, "a\n\n b "), { value: ["a", "b"] });
  assert.deepEqual(read(list, ""), { value: [] });
  // Where nothing is the default, an empty list would mean something else.
  assert.deepEqual(read(setting({ type: "array", items: { type: "string" } }), "\n"), { value: null });
});

test("only what differs is a change; going back to the default is one where something is set", () => {
  assert.equal(changeOf(whole, undefined), undefined);
  assert.equal(changeOf(whole, "8366"), undefined);
  assert.equal(changeOf(whole, null), undefined);
  assert.equal(changeOf(whole, "1")?.value, 1);
  assert.equal(changeOf({ ...whole, origin: "file", value: 1 }, null)?.value, null);
  assert.equal(changeOf({ ...whole, fixedBy: "--port" }, "1"), undefined);
  assert.deepEqual(changesOf([whole, { ...whole, name: "Y" }], { Y: "9", Z: "1" }).map((one) => one.setting.name), ["Y"]);
});

test("a secret is never shown nor searched, and an empty field leaves it alone", () => {
  const secret = setting({ type: "string" }, { secret: true, value: "********", origin: "file" });
  assert.equal(typedFrom(secret), "");
  assert.equal(changeOf(secret, ""), undefined);
  assert.equal(changeOf(secret, "new")?.value, "new");
  assert.equal(changeOf(secret, null)?.value, null);
  assert.equal(matches(secret, "Key", "****"), false);
});

test("a setting is found by its label, its names, its help and its value", () => {
  const one = setting({ type: "string" }, { value: "gemma3" });
  for (const find of ["", "longest", "venom_x", "chat.x", "SECONDS", "gemma", "longest wait"]) {
    assert.equal(matches(one, "Longest silence", find), true, find);
  }
  assert.equal(matches(one, "Longest silence", "longest port"), false);
});

test("what was typed outlasts a visit of another page and no sign-in", () => {
  draft("A", "1");
  draft("B", null);
  undraft("A");
  assert.deepEqual(drafts.get(), { B: null });
  signedIn.set({ key: "k" });
  assert.deepEqual(drafts.get(), {});
});

test("the server's settings are grouped in its order, providers apart", () => {
  const field = (key: string, provider: string | null = null) => ({
    key, provider, env: key.toUpperCase(), aliases: [], form: { type: "string" }, secret: false, restart: true, fixed_by: null,
  });
  const view = {
    config: { A: "1" }, config_sources: { A: "file" }, warnings: [], restart_required: ["A"],
    schema: { A: field("server.a"), B: field("providers.x.b", "x"), C: field("server.c") },
  } as unknown as ConfigView;
  const settings = settingsOf(view);
  assert.deepEqual(grouped(settings).map(([group, inside]) => [group, inside.map((one) => one.name)]), [
    ["server", ["A", "C"]], ["providers.x", ["B"]],
  ]);
  assert.deepEqual([settings[0]!.waits, settings[1]!.waits, settings[0]!.value, settings[1]!.value], [true, false, "1", null]);
});
