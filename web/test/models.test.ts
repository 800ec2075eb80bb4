import assert from "node:assert/strict";
import { test } from "vitest";
import { strays } from "../lib/aliases";
import type { ModelRecord, Operation } from "../lib/api/types";
import { contextSteps, nearestStep } from "../lib/context-steps";
import texts from "../lib/i18n/areas/operations";
import { ALL, filterModels, sortModels } from "../lib/model-filter";
import { operationOf, unfinished, withOperation } from "../lib/operations";
import { fieldsOf, parametersOf } from "../lib/parameter-form";
import { timeLeft } from "../lib/time-left";

const model = (id: string, more: Partial<ModelRecord> = {}) =>
  ({ id, reference: `p://${id}`, provider: "p", size_bytes: null, context_length: null, locality: "local", loaded: false, ...more }) as ModelRecord;
const MODELS = [model("b10", { size_bytes: 1 }), model("b9", { loaded: true, capabilities: ["chat"] }), model("a", { locality: "remote", size_bytes: 5, provider: "q" })];
const names = (found: ModelRecord[]) => found.map((one) => one.id);

test("every word of the filter counts, and what is not known matches nothing", () => {
  assert.deepEqual(names(filterModels(MODELS, { ...ALL, text: "P:// b" })), ["b10", "b9"]);
  assert.deepEqual(names(filterModels(MODELS, { ...ALL, capability: "chat" })), ["b9"]);
  assert.deepEqual(names(filterModels(MODELS, { ...ALL, place: "loaded" })), ["b9"]);
  assert.deepEqual(names(filterModels(MODELS, { ...ALL, place: "remote", provider: "p" })), []);
});

test("names are ordered as people count, sizes from the largest, the unknown last", () => {
  assert.deepEqual(names(sortModels(MODELS, "name", "en")), ["a", "b9", "b10"]);
  assert.deepEqual(names(sortModels(MODELS, "size", "en")), ["a", "b10", "b9"]);
});

test("a name that stands for no model of the list is shown apart from them", () => {
  const alias = (name: string, target: string) => ({ name, target, problem: null });
  const found = strays([alias("fast", "p://a"), alias("short", "a"), alias("old", "p://gone")], MODELS);
  assert.deepEqual(found.map(({ name }) => name), ["short", "old"]);
});

const operation = (id: string, status: Operation["status"], more: Partial<Operation> = {}) =>
  ({ operation_id: id, model_name: "m", reference: "p://m", operation_type: "install", status, ...more }) as Operation;

test("news of an operation takes the place of the old, and a new one comes first", () => {
  const old = { operations: [operation("1", "in_progress"), operation("0", "failed")], count: 2 };
  assert.equal(withOperation(old, operation("1", "paused")).operations[0]?.status, "paused");
  assert.deepEqual(withOperation(old, operation("2", "pending")).operations.map((one) => one.operation_id), ["2", "1", "0"]);
});

test("a failure is shown until the same model is taken up again", () => {
  assert.deepEqual(unfinished([operation("1", "failed")]).length, 1);
  assert.deepEqual(unfinished([operation("2", "completed"), operation("1", "failed")]), []);
  assert.deepEqual(unfinished([operation("3", "failed", { operation_type: "remove" })]), []);
});

test("an install is found by the name that was asked for, and by its reference", () => {
  const found = [operation("2", "completed", { operation_type: "remove" }), operation("1", "in_progress", { model_name: "hf.co/a/b" })];
  assert.equal(operationOf(found, "hf.co/a/b")?.operation_id, "1");
  assert.equal(operationOf(found, "p://m")?.operation_id, "1");
  assert.equal(operationOf(found, "other"), undefined);
});

test("contexts double, and hold the one in use and the longest", () => {
  assert.deepEqual(contextSteps(3000, 1000), [512, 1000, 1024, 2048, 3000]);
  assert.deepEqual(contextSteps(400, 4096), [400]);
  assert.equal(nearestStep([512, 1024, 2048], 1500), 2);
  assert.equal(nearestStep([512, 1024], 9999), 1);
});

test("what is empty is not set, a comma is a point, and what is no number is named", () => {
  const schema = {
    temperature: { type: "float", default: 0.7, desc: "" }, seed: { type: "int", default: null, desc: "" },
    stop: { type: "list", default: null, desc: "" }, reasoning_effort: { type: "enum", default: null, desc: "", options: ["low"] },
  } as const;
  assert.deepEqual(fieldsOf(schema as never, { stop: ["a", "b"], temperature: 0 }), { temperature: "0", seed: "", stop: "a\nb", reasoning_effort: "" });
  assert.deepEqual(parametersOf(schema as never, { temperature: "0,2", seed: " ", stop: "x\n\ny", reasoning_effort: "low" }), {
    params: { temperature: 0.2, stop: ["x", "y"], reasoning_effort: "low" }, wrong: [],
  });
  assert.deepEqual(parametersOf(schema as never, { seed: "soon" }).wrong, ["seed"]);
});

test("the time left is finer near the end", () => {
  assert.equal(timeLeft(0.2, texts.en), "1 s");
  assert.equal(timeLeft(90, texts.en), "2 min");
  assert.equal(timeLeft(3 * 3600 + 120, texts.en), "3 h 2 min");
});
