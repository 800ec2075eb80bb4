import assert from "node:assert/strict";
import { test } from "vitest";
import { canChat, modelInUse, noteOf, type Catalogue } from "../lib/catalogue";
import type { ModelRecord, Overview } from "../lib/api/types";

const model = (id: string, capabilities: string[] | null, locality: ModelRecord["locality"] = "local") =>
  ({ id, reference: `ollama://${id}`, capabilities, locality }) as ModelRecord;

test("the model in use: chosen if it exists and can chat, else the server's, else any that can", () => {
  const models = [model("embed", ["embed"]), model("a", ["chat"]), model("b", null)];
  const overview = { default_model: "a", notes: [{ model: "ollama://a", message: "note" }] } as unknown as Overview;
  const stock: Catalogue = { overview, models, error: null };
  assert.equal(modelInUse(stock, "b"), "b");
  assert.equal(modelInUse(stock, "gone"), "a");
  assert.equal(modelInUse(stock, "embed"), "a");
  assert.equal(modelInUse({ ...stock, overview: { ...overview, default_model: null } }, null), "a");
  assert.equal(modelInUse({ overview: null, models: [], error: null }, "a"), null);
  const away = [model("cloud", ["chat"], "remote")];
  assert.equal(modelInUse({ overview: null, models: away, error: null }, null), null);
  assert.equal(modelInUse({ overview: null, models: away, error: null }, "cloud"), "cloud");
  assert.deepEqual(models.map(canChat), [false, true, true]);
  assert.equal(noteOf(stock, "a"), "note");
  assert.equal(noteOf(stock, "b"), null);
});
