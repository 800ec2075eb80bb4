import { importSession } from "./api/sessions";
import type { SessionImport } from "./api/types";
import { exportOf, messageOf, titleOf, type Message } from "./conversation";
import { ApiError, recordOf, type ErrorRecord } from "./errors";
import { itemNames, readItem, writeItem } from "./storage";
import { tellTabs } from "./tabs";
import { PREFIX, untaken } from "./untaken";

/**
 * Earlier versions of this page kept conversations in the browser. Each is handed to the server, and
 * leaves the browser once the server has it. The session's id is made from the old id and the content:
 * a second try, or another tab, is refused with `session_exists`, which says that it is there already.
 */
const INDEX = "venom.chats";
const ACTIVE = "venom.active";

interface OldEntry {
  title?: unknown;
  updated?: unknown;
}

function listOf(text: string | null): Record<string, unknown>[] {
  try {
    const value: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(value) ? value.filter((one) => typeof one === "object" && one !== null) : [];
  } catch {
    return [];
  }
}

function oldChats(): { name: string; entry: OldEntry }[] {
  const index = new Map(listOf(readItem("localStorage", INDEX)).map((entry) => [String(entry.id), entry as OldEntry]));
  const updated = ({ entry }: { entry: OldEntry }) => (typeof entry.updated === "number" ? entry.updated : 0);
  return itemNames("localStorage")
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => ({ name, entry: index.get(name.slice(PREFIX.length)) ?? {} }))
    .sort((a, b) => updated(a) - updated(b));
}

/** An answer as the old page kept it, in the shape that the server keeps. */
function oldMessage(old: Record<string, unknown>): Message | null {
  const { role, content, model, stats, finish, ...more } = old;
  if ((role !== "user" && role !== "assistant") || typeof content !== "string") return null;
  const { ttftMs, tokensPerSecond, completionTokens } = (stats ?? {}) as Record<string, unknown>;
  const usage = typeof completionTokens === "number" ? { completion_tokens: completionTokens } : undefined;
  const details = { ...more, finish_reason: finish, usage, time_to_first_token_ms: ttftMs, tokens_per_second: tokensPerSecond };
  const answered = typeof model === "string" ? model : null;
  const said = messageOf({ id: "", parent_message_id: null, role, content, model: answered, details, created_at: "" });
  return { ...said, at: undefined };
}

/** Its messages; a question whose answer was lost gets one that was stopped before its first word. */
function oldMessages(text: string): Message[] {
  const messages: Message[] = [];
  for (const message of listOf(text).map(oldMessage)) {
    if (!message || (message.role === "user" && message.content === "")) continue;
    if (message.role === "user" && messages.at(-1)?.role === "user") messages.push(lostAnswer());
    messages.push(message);
  }
  if (messages.at(-1)?.role === "user") messages.push(lostAnswer());
  return messages;
}

const lostAnswer = (): Message => ({ role: "assistant", content: "", stopped: true });

/** FNV-1a: tells two states of one conversation apart, and needs no secure context. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

/** What the server is given of an old conversation; null where nothing was said in it. */
export function takenOver(id: string, text: string, entry: OldEntry): SessionImport | null {
  const messages = oldMessages(text);
  if (messages.length === 0) return null;
  const title = typeof entry.title === "string" ? entry.title : titleOf(messages[0]?.content ?? "");
  const when = typeof entry.updated === "number" ? new Date(entry.updated) : null;
  const updated_at = when && !Number.isNaN(when.getTime()) ? when.toISOString() : undefined;
  return exportOf(messages, { id: `${id}-${fingerprint(text)}`.slice(-64), title, updated_at });
}

const isThere = (thrown: unknown) => thrown instanceof ApiError && thrown.code === "session_exists";
/** Refusals that say something about this one conversation, not about the server or the key. */
const isOfOne = (thrown: unknown) => thrown instanceof ApiError && [400, 413, 422].includes(thrown.status);

async function take(name: string, entry: OldEntry): Promise<void> {
  // Read now and not before: another tab may have taken it meanwhile.
  const text = readItem("localStorage", name);
  if (text === null) return;
  const session = takenOver(name.slice(PREFIX.length), text, entry);
  if (session) {
    await importSession(session).catch((thrown: unknown) => {
      if (!isThere(thrown)) throw thrown;
    });
  }
  // A tab with the old page may have gone on with it meanwhile: then that is taken the next time.
  if (readItem("localStorage", name) === text) writeItem("localStorage", name, null);
}

async function takeAll(): Promise<boolean> {
  const old = oldChats();
  let error: ErrorRecord | null = null;
  for (const { name, entry } of old) {
    try {
      await take(name, entry);
    } catch (thrown) {
      error ??= recordOf(thrown);
      if (!isOfOne(thrown)) break;
    }
  }
  const count = oldChats().length;
  if (count === 0) forgetOld();
  if (count < old.length) tellTabs({ about: "conversations" });
  untaken.set({ count, error: count > 0 ? error : null });
  return count < old.length;
}

let taking: Promise<boolean> | null = null;

/** Hand over what this browser kept; true where the server got something. Calls that overlap are one. */
export function takeOver(): Promise<boolean> {
  taking ??= takeAll().finally(() => {
    taking = null;
  });
  return taking;
}

/** Delete what this browser still keeps, taken or not. */
export function forgetOld(): void {
  for (const { name } of oldChats()) writeItem("localStorage", name, null);
  writeItem("localStorage", INDEX, null);
  writeItem("sessionStorage", ACTIVE, null);
  untaken.set({ count: 0, error: null });
}
