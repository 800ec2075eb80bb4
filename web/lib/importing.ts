import { importSession } from "./api/sessions";
import type { SessionImport } from "./api/types";
import { newChatId } from "./address";
import { openChat } from "./chat";
import { entryOf, putChat, refreshChats } from "./chats";
import { exportOf, titleOf, type Message } from "./conversation";
import { ApiError, recordOf, type ErrorRecord } from "./errors";
import { foreignSessions } from "./foreign-chats";
import { allowAsking } from "./key";
import { tellTabs } from "./tabs";

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

/** Text of a message as OpenAI's clients write it: a string, or parts of which those of text count. */
function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part: unknown) => (isObject(part) && typeof part.text === "string" ? part.text : "")).join("");
}

function messageOf(value: unknown): Message[] {
  if (!isObject(value)) return [];
  const content = textOf(value.content);
  if (value.role === "system" || value.role === "user") return [{ role: value.role, content }];
  return value.role === "assistant" ? [{ role: "assistant", content }] : [];
}

/**
 * What the server is given of a file: an export of Venom as it is, the chats of ChatGPT or Open WebUI,
 * or a list of messages as OpenAI's clients keep them.
 */
export function sessionsIn(text: string, newId: () => string): SessionImport[] {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    found = null;
  }
  if (isObject(found) && found.format === "venom-session") return [{ ...(found as unknown as SessionImport), id: newId() }];
  const foreign = foreignSessions(found, newId);
  if (foreign && foreign.length > 0) return foreign;
  const list = Array.isArray(found) ? found : isObject(found) && Array.isArray(found.messages) ? found.messages : [];
  const messages = list.flatMap(messageOf);
  if (messages.length === 0) {
    throw new ApiError({ code: "client_no_conversation", message: "" });
  }
  const given = isObject(found) && typeof found.title === "string" ? found.title : "";
  return [exportOf(messages, { id: newId(), title: given || titleOf(messages.find((one) => one.role === "user")?.content ?? "") })];
}

/** How far it is with a file of many conversations. */
export interface Taken {
  all: number;
  taken: number;
  /** They were taken in before. */
  known: number;
  refused: number;
  /** Why the first of those was. */
  error: ErrorRecord | null;
}

/** Where the server does not answer, or wants a key, the next one would fare no better. */
const ENDS = ["client_unreachable", "invalid_api_key"];

/** Take the conversations of a file in, one after another; a single one is opened. Stops where `signal` says so. */
export async function importFile(file: File, signal: AbortSignal, onStep: (taken: Taken) => void): Promise<Taken> {
  allowAsking();
  const sessions = sessionsIn(await file.text(), newChatId);
  const [only] = sessions;
  const count: Taken = { all: sessions.length, taken: 0, known: 0, refused: 0, error: null };
  for (const session of sessions) {
    if (signal.aborted) break;
    try {
      const entry = entryOf(await importSession(session));
      if (sessions.length === 1) putChat(entry);
      count.taken += 1;
    } catch (thrown) {
      const error = recordOf(thrown);
      if (sessions.length === 1 && error.code !== "session_exists") throw thrown;
      if (error.code === "session_exists") count.known += 1;
      else {
        count.refused += 1;
        count.error ??= error;
        if (ENDS.includes(error.code)) break;
      }
    }
    onStep({ ...count });
  }
  if (count.taken > 0) tellTabs({ about: "conversations" });
  if (sessions.length > 1) await refreshChats();
  if (sessions.length === 1 && only?.id) openChat(only.id);
  return count;
}
