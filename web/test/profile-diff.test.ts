import assert from "node:assert/strict";
import { test } from "vitest";
import { isEmpty, profileDiff } from "../lib/profile-diff";

const profile = (name: string, more: object) => ({
  name, excludes: [] as string[], servers: ["ollama"], services: ["backend", "ui"], runtimes: ["ollama"],
  profile_capabilities: { uses_local_llm: true, gpu_support: true, requires_onnx: false }, ...more,
});

test("what a switch changes is told from both sides", () => {
  const light = profile("light", { excludes: ["vllm"] });
  const full = profile("full", { servers: ["ollama", "vllm"], services: ["backend", "ui", "vllm"], runtimes: ["ollama", "vllm"] });
  assert.deepEqual(profileDiff(light, full), {
    models: "same",
    servers: { gained: ["vllm"], lost: [] },
    closed: { gained: [], lost: ["vllm"] },
    services: { gained: ["vllm"], lost: [] },
    order: ["ollama", "vllm"],
  });
  assert.deepEqual(profileDiff(full, light).closed, { gained: ["vllm"], lost: [] });
});

test("without models is said as such", () => {
  const light = profile("light", {});
  const off = profile("llm_off", { servers: [], runtimes: [], profile_capabilities: { uses_local_llm: false, gpu_support: false, requires_onnx: false } });
  assert.equal(profileDiff(light, off).models, "stop");
  assert.equal(profileDiff(off, light).models, "begin");
  assert.equal(profileDiff(light, off).order, null, "nothing is asked then");
});

test("two that are alike differ in nothing", () => {
  assert.equal(isEmpty(profileDiff(profile("a", {}), profile("b", {}))), true);
  assert.equal(isEmpty(profileDiff(profile("a", {}), profile("b", { excludes: ["x"] }))), false);
});
