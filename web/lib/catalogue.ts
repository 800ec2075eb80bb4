import { asking } from "./api/asking";
import { recordOf, type ErrorRecord } from "./errors";
import { allowAsking } from "./key";
import { queries } from "./queries";
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

export const OVERVIEW = asking("/api/v1/overview");
export const MODELS = asking("/api/v1/models");

/** Show what the two queries know now. */
export function showCatalogue(): void {
  const overview = queries.getQueryState<Overview>(OVERVIEW.queryKey);
  const models = queries.getQueryState<{ models: ModelRecord[] }>(MODELS.queryKey);
  const error: unknown = overview?.error ?? models?.error ?? null;
  if (error === null && (!overview?.data || !models?.data)) return;
  catalogue.set((old) => ({
    overview: overview?.data ?? old.overview,
    models: models?.data?.models ?? old.models,
    error: error === null ? null : recordOf(error),
  }));
  if (overview?.data) followDefault(overview.data.theme);
}

/** Ask the server again; calls that overlap share one answer. */
export async function refresh(): Promise<void> {
  const asked = [queries.fetchQuery({ ...OVERVIEW, staleTime: 0 }), queries.fetchQuery({ ...MODELS, staleTime: 0 })];
  await Promise.allSettled(asked);
  showCatalogue();
}

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

/** The name of a provider as people know it. */
export function titleOf({ overview }: Catalogue, provider: string): string {
  return overview?.providers.find(({ name }) => name === provider)?.title ?? provider;
}

/** What the server says about a model, such as what a demonstration model is for. */
export function noteOf({ overview, models }: Catalogue, id: string | null): string | null {
  const names = [id, findModel(models, id)?.reference];
  return overview?.notes.find((note) => names.includes(note.model))?.message ?? null;
}
