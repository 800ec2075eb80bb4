import { cancelOperation, getOperation, getOperations, install } from "./api";
import { chooseModel, catalogue, findModel, refresh } from "./catalogue";
import { errorFrom, recordOf, type ErrorRecord } from "./errors";
import { language } from "./i18n";
import { allowAsking } from "./key";
import { createStore } from "./store";
import type { Operation } from "./api/types";

/** One model being fetched; `bytesTotal` is null while the server does not know it. */
export interface Pull {
  phase: "pulling" | "completed" | "paused" | "cancelled" | "failed";
  bytesDone: number;
  bytesTotal: number | null;
  /** Percent. */
  progress: number;
  message: string;
  error: ErrorRecord | null;
}

export const pulls = createStore<Record<string, Pull>>({});

const POLL_MS = 400;
/** The operation that fetches a model, by the model's name; null until the server has said it. */
const fetching = new Map<string, string | null>();
/** Those that were cancelled before the server had said their operation. */
const unwanted = new Set<string>();

function change(name: string, next: Partial<Pull>): void {
  const start: Pull = { phase: "pulling", bytesDone: 0, bytesTotal: null, progress: 0, message: "", error: null };
  pulls.set((old) => ({ ...old, [name]: { ...start, ...old[name], ...next } }));
}

/** Fetch a model by the suggestion's name, then talk to it. It goes on where this page is closed. */
export async function startPull(name: string): Promise<void> {
  if (fetching.has(name)) return;
  fetching.set(name, null);
  allowAsking();
  change(name, { phase: "pulling", bytesDone: 0, progress: 0, message: "", error: null });
  await followed(name, () => install(name));
}

/** Show what is being fetched already: begun before this page was opened, or elsewhere. */
export async function adoptPulls(): Promise<void> {
  const operations = await getOperations().catch(() => []);
  for (const operation of operations) {
    const name = operation.model_name;
    if (operation.operation_type !== "install" || !isRunning(operation) || fetching.has(name)) continue;
    fetching.set(name, operation.operation_id);
    void followed(name, async () => operation);
  }
}

export async function cancelPull(name: string): Promise<void> {
  const id = fetching.get(name);
  if (id === null) unwanted.add(name);
  if (id) await cancelOperation(id).catch((thrown) => change(name, { error: recordOf(thrown) }));
}

/** A state that the server gets some day does not compile until it is here. */
function phaseOf({ status }: Operation): Pull["phase"] {
  switch (status) {
    case "pending":
    case "in_progress":
      return "pulling";
    case "completed":
    case "failed":
    case "paused":
    case "cancelled":
      return status;
  }
}

const isRunning = (operation: Operation) => phaseOf(operation) === "pulling";

async function followed(name: string, begin: () => Promise<Operation>): Promise<void> {
  try {
    let operation = await begin();
    fetching.set(name, operation.operation_id);
    if (unwanted.delete(name)) await cancelPull(name);
    while (isRunning(operation)) {
      show(name, operation);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      operation = await getOperation(operation.operation_id);
    }
    show(name, operation);
    await ended(name, operation);
  } catch (thrown) {
    change(name, { phase: "failed", error: recordOf(thrown) });
  } finally {
    fetching.delete(name);
    unwanted.delete(name);
  }
}

function show(name: string, { bytes_done, bytes_total, progress, message }: Operation): void {
  change(name, { phase: "pulling", bytesDone: bytes_done, bytesTotal: bytes_total, progress, message });
}

async function ended(name: string, operation: Operation): Promise<void> {
  if (operation.status === "failed") throw errorFrom({ ...operation, message: operation.error }, 500, language.get());
  if (operation.status !== "completed") return change(name, { phase: phaseOf(operation) });
  await refresh();
  change(name, { phase: "completed", progress: 100 });
  const pulled = findPulled(name);
  if (pulled) chooseModel(pulled);
}

function findPulled(name: string): string | undefined {
  const { models } = catalogue.get();
  const found = findModel(models, name) ?? models?.find((model) => model.name === name);
  return found?.id;
}
