import assert from "node:assert/strict";
import { afterEach, test } from "vitest";
import { adoptPulls, cancelPull, pulls, startPull } from "../lib/pulls";

const realFetch = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = realFetch;
});

/** Answers from a script, in order; gives the paths that were asked for. */
function scripted(...answers: Response[]): string[] {
  const asked: string[] = [];
  globalThis.fetch = async (path) => {
    asked.push(String(path));
    return answers.shift() ?? assert.fail(`no answer is left for ${String(path)}`);
  };
  return asked;
}

const operation = (status: string, more: object = {}) =>
  Response.json({ operation: { operation_id: "1", operation_type: "install", model_name: "m", status, ...more } });

test("a pull is an operation that is asked for until it has ended", async () => {
  const half = { bytes_done: 5, bytes_total: 10, progress: 50, message: "Fetching m" };
  const error = { error: "The disk is full.", code: "disk_full", fix: "Free 1 GB." };
  const asked = scripted(Response.json({ operation_id: "1" }), operation("in_progress", half), operation("failed", error));
  const seen: (number | undefined)[] = [];
  const stop = pulls.subscribe(() => seen.push(pulls.get().m?.progress));
  await startPull("m");
  stop();
  assert.ok(seen.includes(50));
  const { phase, error: shown } = pulls.get().m!;
  assert.deepEqual([phase, shown?.code, shown?.message, shown?.fix], ["failed", "disk_full", "The disk is full.", "Free 1 GB."]);
  const paths = ["/api/v1/models/install", "/api/v1/models/operations/1", "/api/v1/models/operations/1"];
  assert.deepEqual(asked, paths);
});

test("an install that runs already is shown, one that was paused is not", async () => {
  const listed = ["in_progress", "paused"].map((status, at) => ({
    operation_id: String(at), operation_type: "install", model_name: `adopted-${status}`, status, progress: 7,
  }));
  scripted(Response.json({ operations: listed }), operation("cancelled"));
  await adoptPulls();
  assert.equal(pulls.get()["adopted-in_progress"]?.progress, 7);
  assert.equal(pulls.get()["adopted-paused"], undefined);
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(pulls.get()["adopted-in_progress"]?.phase, "cancelled");
});

test("a pull that is cancelled before its operation is known is cancelled once it is", async () => {
  const asked = scripted(Response.json({ operation_id: "1" }), operation("in_progress"), Response.json({}), operation("cancelled"));
  const pulling = startPull("early");
  await cancelPull("early");
  await pulling;
  assert.equal(pulls.get().early?.phase, "cancelled");
  assert.ok(asked.includes("/api/v1/models/operations/1/cancel"));
});
