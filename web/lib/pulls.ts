import { streamPull } from "./api";
import { chooseModel, catalogue, findModel, refresh } from "./catalogue";
import { isAbort, recordOf, type ErrorRecord } from "./errors";
import { allowAsking } from "./key";
import { createStore } from "./store";

/** One model being fetched; `bytesTotal` is null while the server does not know it. */
export interface Pull {
  phase: "pulling" | "completed" | "cancelled" | "failed";
  bytesDone: number;
  bytesTotal: number | null;
  /** Percent. */
  progress: number;
  message: string;
  error: ErrorRecord | null;
}

export const pulls = createStore<Record<string, Pull>>({});

const controllers = new Map<string, AbortController>();

function change(name: string, next: Partial<Pull>): void {
  const start: Pull = { phase: "pulling", bytesDone: 0, bytesTotal: null, progress: 0, message: "", error: null };
  pulls.set((old) => ({ ...old, [name]: { ...start, ...old[name], ...next } }));
}

/** Fetch a model by the suggestion's name, then talk to it. */
export async function startPull(name: string): Promise<void> {
  if (controllers.has(name)) return;
  const controller = new AbortController();
  controllers.set(name, controller);
  allowAsking();
  change(name, { phase: "pulling", bytesDone: 0, progress: 0, message: "", error: null });
  try {
    for await (const event of streamPull(name, controller.signal)) {
      change(name, {
        bytesDone: event.bytes_done ?? 0,
        bytesTotal: event.bytes_total ?? null,
        progress: event.progress ?? 0,
        message: event.message ?? "",
      });
    }
    await refresh();
    change(name, { phase: "completed", progress: 100 });
    const pulled = findPulled(name);
    if (pulled) chooseModel(pulled);
  } catch (thrown) {
    const cancelled = controller.signal.aborted || isAbort(thrown);
    change(name, cancelled ? { phase: "cancelled" } : { phase: "failed", error: recordOf(thrown) });
  } finally {
    controllers.delete(name);
  }
}

export function cancelPull(name: string): void {
  controllers.get(name)?.abort();
}

function findPulled(name: string): string | undefined {
  const { models } = catalogue.get();
  const found = findModel(models, name) ?? models?.find((model) => model.name === name);
  return found?.id;
}
