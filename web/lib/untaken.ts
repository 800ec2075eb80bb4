import type { ErrorRecord } from "./errors";
import { itemNames } from "./storage";
import { createStore } from "./store";

/** Earlier versions of this page kept conversations in the browser, each under this name and its id. */
export const PREFIX = "venom.chat.";

/** How many are still in this browser, and why. */
export const untaken = createStore<{ count: number; error: ErrorRecord | null }>({ count: 0, error: null });

/** Whether there is anything to hand over: only then is lib/takeover.ts fetched. */
export const anyUntaken = (): boolean => itemNames("localStorage").some((name) => name.startsWith(PREFIX));
