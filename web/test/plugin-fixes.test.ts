import assert from "node:assert/strict";
import { test } from "vitest";
import type { PluginRecord } from "../lib/api/types";
import { actOf, verbsOf } from "../lib/plugin-fixes";

const plugin = (more: Partial<PluginRecord>): PluginRecord => ({
  id: "lab", state: "loaded", recoverable: false, reason: null, distribution: "lab", version: "1", api: "v1",
  origin: "first_party", load_ms: 1, providers: [], ...more,
});
const reason = (code: string) => ({ code, message: "", fix: null, docs: "" });

test("a fix that the server can do is a button, any other stays a command", () => {
  assert.deepEqual(actOf("venom plugins enable lab"), { kind: "plugin", verb: "enable", plugin: "lab" });
  assert.deepEqual(actOf("Repair it, then load it again with: venom plugins retry lab"), { kind: "plugin", verb: "retry", plugin: "lab" });
  for (const fix of ["venom plugins install lab", "venom plugins uninstall lab", "venom engines install vllm", "Wait.", null]) {
    assert.equal(actOf(fix), null, String(fix));
  }
});

test("a server that Venom can start is started by a button", () => {
  const ollama = { name: "ollama", capabilities: ["chat", "start_engine"] };
  assert.deepEqual(actOf("Start it with: ollama serve", ollama), { kind: "service", service: "ollama" });
  assert.equal(actOf("Start it with: ollama serve", { ...ollama, capabilities: ["chat"] }), null);
  assert.equal(actOf("Start it with: ollama serve"), null);
});

test("each state of a plugin has the verbs that change something", () => {
  assert.deepEqual(verbsOf(plugin({})), ["disable"]);
  assert.deepEqual(verbsOf(plugin({ state: "disabled", reason: reason("disabled_by_user") })), ["enable"]);
  assert.deepEqual(verbsOf(plugin({ state: "disabled", reason: reason("blocked") })), []);
  assert.deepEqual(verbsOf(plugin({ state: "disabled", reason: reason("crashed_last_start") })), ["retry", "disable"]);
  assert.deepEqual(verbsOf(plugin({ state: "failed", origin: "third_party" })), ["reload", "disable"]);
  assert.deepEqual(verbsOf(plugin({ state: "failed" })), ["retry", "disable"]);
});
