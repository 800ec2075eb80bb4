import { ApiError } from "./errors";
import { readItem, writeItem } from "./storage";
import { createStore } from "./store";

/** The API key lives as long as the browser tab: sessionStorage, never localStorage. */
const ITEM = "venom.key";

let key = readItem("sessionStorage", ITEM);
let declined = false;
let pending: Promise<boolean> | null = null;
let settle: ((given: boolean) => void) | null = null;

/** What the key dialog shows while it is open: the refusal that asked for it. */
export const keyPrompt = createStore<{ refusal: ApiError; again: boolean } | null>(null);

export function currentKey(): string | null {
  return key;
}

/**
 * Ask for a key after a 401; resolves to true when the request is worth sending again.
 * All requests refused at the same time wait for one answer.
 */
export function askForKey(refusal: ApiError, sentWith: string | null): Promise<boolean> {
  if (key !== sentWith) return Promise.resolve(true);
  if (declined) return Promise.resolve(false);
  pending ??= new Promise<boolean>((resolve) => {
    settle = resolve;
    keyPrompt.set({ refusal, again: sentWith !== null });
  });
  return pending;
}

/** The dialog's answer; null means that the user closed it. */
export function answerKey(given: string | null): void {
  if (given !== null) {
    key = given;
    writeItem("sessionStorage", ITEM, given);
  }
  declined = given === null;
  keyPrompt.set(null);
  settle?.(given !== null);
  pending = null;
  settle = null;
}

/** Something the user did themselves may ask again after they closed the dialog. */
export function allowAsking(): void {
  declined = false;
}
