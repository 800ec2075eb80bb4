import type { ChatEntry } from "./chats";
import { readItem } from "./storage";
import { createStore } from "./store";

/** The conversation that is off the list and still on the server; null where there is none. */
export const removal = createStore<ChatEntry | null>(null);

/** Under this name a page that is left notes what it was about to delete. */
export const NOTE = "venom.removing";

/** The conversation that the page before left to be deleted; null where there is none: only otherwise
 * is lib/removal.ts fetched at once. */
export const leftToRemove = (): string | null => readItem("sessionStorage", NOTE);
