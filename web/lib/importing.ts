import { importSession } from "./api/sessions";
import type { SessionImport } from "./api/types";
import { newChatId } from "./address";
import { openChat } from "./chat";
import { entryOf, putChat } from "./chats";
import { exportOf, titleOf, type Message } from "./conversation";
import { ApiError } from "./errors";
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

/** What the server is given of a file: an export of Venom as it is, or a list of messages as OpenAI's clients keep them. */
export function sessionIn(text: string, id: string): SessionImport {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    found = null;
  }
  if (isObject(found) && found.format === "venom-session") return { ...(found as unknown as SessionImport), id };
  const list = Array.isArray(found) ? found : isObject(found) && Array.isArray(found.messages) ? found.messages : [];
  const messages = list.flatMap(messageOf);
  if (messages.length === 0) {
    throw new ApiError({ code: "client_no_conversation", message: "" });
  }
  const given = isObject(found) && typeof found.title === "string" ? found.title : "";
  return exportOf(messages, { id, title: given || titleOf(messages.find((one) => one.role === "user")?.content ?? "") });
}

/** Take a conversation in from a file, and open it. */
export async function importFile(file: File): Promise<void> {
  allowAsking();
  const session = await importSession(sessionIn(await file.text(), newChatId()));
  putChat(entryOf(session));
  tellTabs({ about: "conversations" });
  openChat(session.id);
}
