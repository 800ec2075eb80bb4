import { getModels, getOverview } from "./api";
import { isAbort, recordOf, type ErrorRecord } from "./errors";
import { language } from "./i18n";
import { allowAsking } from "./key";
import { readItem, writeItem } from "./storage";
import { createStore } from "./store";
import { followDefault } from "./theme";
import type { ModelRecord, Overview } from "./api/types";

/** What the server has: null where nothing was heard yet. */
export interface Catalogue {
  overview: Overview | null;
  models: ModelRecord[] | null;
  error: ErrorRecord | null;
}

export const catalogue = createStore<Catalogue>({ overview: null, models: null, error: null });

const MODEL_ITEM = "venom.model";
export const chosenModel = createStore<string | null>(null, readItem("localStorage", MODEL_ITEM));

export function chooseModel(id: string): void {
  writeItem("localStorage", MODEL_ITEM, id);
  chosenModel.set(id);
}

let refreshing: Promise<void> | null = null;

async function load(): Promise<void> {
  try {
    const [overview, models] = await Promise.all([getOverview(), getModels()]);
    catalogue.set({ overview, models, error: null });
    followDefault(overview.theme);
  } catch (thrown) {
    if (!isAbort(thrown)) catalogue.set((old) => ({ ...old, error: recordOf(thrown) }));
  }
}

/** Ask the server again; calls that overlap share one answer. */
export function refresh(): Promise<void> {
  refreshing ??= load().finally(() => {
    refreshing = null;
  });
  return refreshing;
}

// The server's sentences are in the language they were asked for in.
language.subscribe(() => void Promise.resolve(refreshing).finally(refresh));

/** The same after the user asked for it: then a key may be asked for again. */
export function refreshByHand(): Promise<void> {
  allowAsking();
  return refresh();
}

/** A model that can hold a conversation; one that declares nothing may be able to. */
export function canChat(model: ModelRecord): boolean {
  return !model.capabilities?.length || model.capabilities.includes("chat");
}

/** The model that will answer: the one chosen here if it still exists, else the server's default. */
export function modelInUse({ overview, models }: Catalogue, chosen: string | null): string | null {
  const able = models?.filter(canChat) ?? [];
  if (able.some((model) => model.id === chosen)) return chosen;
  // What leaves this machine is never chosen unnamed.
  return overview?.default_model ?? able.find((model) => model.locality === "local")?.id ?? null;
}

export function findModel(models: ModelRecord[] | null, id: string | null): ModelRecord | undefined {
  return models?.find((model) => model.id === id || model.reference === id);
}

/** What the server says about a model, such as what a demonstration model is for. */
export function noteOf({ overview, models }: Catalogue, id: string | null): string | null {
  const names = [id, findModel(models, id)?.reference];
  return overview?.notes.find((note) => names.includes(note.model))?.message ?? null;
}
