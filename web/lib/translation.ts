import { post } from "./api/request";
import type { Schemas } from "./api/types";
import { ApiError, errorFrom, isAbort, type ErrorRecord } from "./errors";
import { language } from "./i18n";
import { namedEvents } from "./named-events";

export const LANGUAGES = ["pl", "en", "de"] as const;
export type Translated = (typeof LANGUAGES)[number];

export interface Wanted {
  text: string;
  target_lang: Translated;
  /** Null: the model sees for itself. */
  source_lang: Translated | null;
  use_cache: boolean;
}

/** A translation as far as it has come. */
export interface Progress {
  status: "idle" | "asked" | "writing" | "done" | "stopped" | "failed";
  text: string;
  /** The parts that stay letter by letter. */
  kept: readonly string[];
  /** The attempt before was not exact, and this is the second. */
  again: boolean;
  model: string | null;
  cached: boolean;
  error: ErrorRecord | null;
}

export const IDLE: Progress = { status: "idle", text: "", kept: [], again: false, model: null, cached: false, error: null };

/** What an event of the stream makes of a translation. */
export function progressed(old: Progress, name: string | undefined, data: unknown): Progress {
  const told = data as Record<string, unknown>;
  if (name === "start") return { ...old, status: "writing", kept: told.protected as string[] };
  if (name === "content") return { ...old, text: old.text + String(told.text) };
  if (name === "restart") return { ...old, text: "", again: true };
  if (name === "error") throw errorFrom(told, 200, language.get());
  if (name !== "done") return old;
  const done = told as unknown as Schemas["TranslationView"];
  return { ...old, status: "done", text: done.translated_text, model: done.model, cached: done.cached };
}

/** Translate; `tell` hears of every step. It ends in one of `done`, `stopped` and `failed`. */
export async function translate(wanted: Wanted, signal: AbortSignal, tell: (now: Progress) => void): Promise<void> {
  let now: Progress = { ...IDLE, status: "asked" };
  const become = (next: Progress) => tell((now = next));
  become(now);
  try {
    const response = await post("/api/v1/translate/stream", wanted, { signal });
    for await (const [name, data] of namedEvents(response)) become(progressed(now, name, data));
    if (now.status !== "done") throw new ApiError({ code: "client_incomplete", message: "the stream ended without done" });
  } catch (thrown) {
    if (isAbort(thrown) || signal.aborted) return become({ ...now, status: "stopped" });
    const error = thrown instanceof ApiError ? thrown : new ApiError({ code: "client_incomplete", message: String(thrown) });
    become({ ...now, status: "failed", error: error.record() });
  }
}

export interface Segment {
  text: string;
  kept: boolean;
}

/** A text cut where parts of it stay as they are. */
export function segments(text: string, parts: readonly string[]): Segment[] {
  const known = [...new Set(parts)].filter(Boolean).sort((one, other) => other.length - one.length);
  if (known.length === 0) return [{ text, kept: false }];
  const pattern = new RegExp(`(${known.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})`);
  return text.split(pattern).map((piece, at) => ({ text: piece, kept: at % 2 === 1 })).filter((one) => one.text !== "");
}
