import { listSessions, MOST_SESSIONS, renameSession } from "./api/sessions";
import type { SessionRecord } from "./api/types";
import { isAbort, recordOf, type ErrorRecord } from "./errors";
import { createStore } from "./store";
import { tellTabs } from "./tabs";

/** A conversation in the list; `local` is one that the server does not have. */
export interface ChatEntry {
  id: string;
  title: string;
  /** ISO 8601. */
  updated: string;
  messages: number;
  pinned: boolean;
  local?: boolean;
}

export interface ChatList {
  entries: ChatEntry[];
  /** There are older ones. */
  more: boolean;
  /** The server has been heard. */
  heard: boolean;
  /** Why the list, or a change of it, was refused. */
  error: ErrorRecord | null;
}

export const PAGE = 50;
export const chats = createStore<ChatList>({ entries: [], more: false, heard: false, error: null });

export const entryOf = ({ id, title, updated_at, messages, pinned }: SessionRecord): ChatEntry => ({
  id,
  title,
  updated: updated_at,
  messages,
  pinned,
});

function sorted(entries: ChatEntry[]): ChatEntry[] {
  const order = (a: ChatEntry, b: ChatEntry) => Number(b.pinned) - Number(a.pinned) || (a.updated < b.updated ? 1 : a.updated > b.updated ? -1 : 0);
  return entries.sort(order);
}

/** Put conversations into the list, in place of what was known of them. */
function merged(old: ChatEntry[], news: ChatEntry[]): ChatEntry[] {
  const ids = new Set(news.map((entry) => entry.id));
  return sorted([...old.filter((entry) => !ids.has(entry.id)), ...news.filter((entry) => !hidden.has(entry.id))]);
}

async function listed(count: number, offset: number): Promise<{ entries: ChatEntry[]; more: boolean }> {
  const found: SessionRecord[] = [];
  while (found.length < count) {
    const wanted = Math.min(count - found.length, MOST_SESSIONS);
    const page = await listSessions(wanted, offset + found.length);
    found.push(...page);
    if (page.length < wanted) return { entries: found.map(entryOf), more: false };
  }
  return { entries: found.map(entryOf), more: true };
}

/** Deleted on this page, for good or until that is undone; a list that comes meanwhile still has them. */
const hidden = new Set<string>();

export const isHidden = (id: string): boolean => hidden.has(id);

export function hideChat(id: string): void {
  hidden.add(id);
  dropChat(id);
}

/** Let the next list show it. */
export function unhideChat(id: string): void {
  hidden.delete(id);
}

export function showChatAgain(entry: ChatEntry): void {
  unhideChat(entry.id);
  putChat(entry);
}

let asked = 0;
let changes = 0;

/** Ask the server for the list again, as far as it is shown. A later call makes an earlier one void. */
export async function refreshChats(): Promise<void> {
  const turn = ++asked;
  const before = changes;
  const shown = chats.get().entries.filter((entry) => !entry.local).length;
  try {
    const { entries, more } = await listed(Math.max(PAGE, shown), 0);
    if (turn !== asked) return;
    // What was kept or deleted while the list was on its way is not in it.
    if (changes !== before) return await refreshChats();
    chats.set((old) => ({ entries: merged(old.entries.filter((entry) => entry.local), entries), more, heard: true, error: null }));
  } catch (thrown) {
    if (turn === asked && !isAbort(thrown)) chats.set((old) => ({ ...old, error: recordOf(thrown) }));
  }
}

/** Add the next older ones to the list. */
export async function moreChats(): Promise<void> {
  const turn = ++asked;
  const shown = chats.get().entries.filter((entry) => !entry.local).length;
  try {
    const { entries, more } = await listed(PAGE, shown);
    if (turn === asked) chats.set((old) => ({ ...old, entries: merged(old.entries, entries), more, error: null }));
  } catch (thrown) {
    if (turn === asked) chats.set((old) => ({ ...old, error: recordOf(thrown) }));
  }
}

export function putChat(entry: ChatEntry): void {
  changes += 1;
  chats.set((old) => ({ ...old, entries: merged(old.entries, [entry]) }));
}

export function dropChat(id: string): void {
  changes += 1;
  chats.set((old) => ({ ...old, entries: old.entries.filter((entry) => entry.id !== id) }));
}

export function findChat(id: string): ChatEntry | undefined {
  return chats.get().entries.find((entry) => entry.id === id);
}

export function refuseChats(error: ErrorRecord | null): void {
  chats.set((old) => ({ ...old, error }));
}

/** Rename a conversation; what is shown goes back where the server refuses. */
export async function renameChat(id: string, title: string): Promise<void> {
  const before = findChat(id);
  if (!before || title === "" || title === before.title) return;
  putChat({ ...before, title });
  try {
    putChat(entryOf(await renameSession(id, title)));
    refuseChats(null);
    tellTabs({ about: "conversations" });
  } catch (thrown) {
    putChat(before);
    refuseChats(recordOf(thrown));
  }
}
