import type { ChatEntry } from "./chats";
import type { ErrorRecord } from "./errors";
import { createStore } from "./store";

/** What is looked for among the conversations; `found` is null until the server has answered. */
export interface Search {
  query: string;
  found: ChatEntry[] | null;
  more: boolean;
  error: ErrorRecord | null;
}

export const nothingSearched: Search = { query: "", found: null, more: false, error: null };

export const search = createStore<Search>(nothingSearched);
