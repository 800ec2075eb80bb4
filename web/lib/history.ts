import type { ErrorRecord } from "./errors";
import { readItem, writeItem } from "./storage";

/** What is kept under an answer. Times in milliseconds, measured in this browser. */
export interface AnswerStats {
  ttftMs?: number;
  tokensPerSecond?: number;
  completionTokens?: number;
}

export interface UserMessage {
  role: "user";
  content: string;
}

export interface AssistantMessage {
  role: "assistant";
  content: string;
  reasoning?: string;
  /** The resolved reference, `provider://ref`. */
  model?: string;
  stats?: AnswerStats;
  finish?: string;
  stopped?: boolean;
  error?: ErrorRecord;
}

export type Message = UserMessage | AssistantMessage;

export interface ChatEntry {
  id: string;
  title: string;
  /** Milliseconds since 1970. */
  updated: number;
}

const INDEX = "venom.chats";
const MAX_CHATS = 60;
const chatItem = (id: string) => `venom.chat.${id}`;

function parse<T>(text: string | null): T[] {
  try {
    const value: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(value) ? (value as T[]) : [];
  } catch {
    return [];
  }
}

/** The chats of this browser, newest first. */
export function listChats(): ChatEntry[] {
  return parse<ChatEntry>(readItem("localStorage", INDEX));
}

export function readChat(id: string): Message[] {
  return parse<Message>(readItem("localStorage", chatItem(id)));
}

export function titleOf(text: string): string {
  const line = text.trim().split("\n")[0] ?? "";
  return line.length > 60 ? `${line.slice(0, 59).trimEnd()}…` : line;
}

function drop(entry: ChatEntry | undefined): void {
  if (entry) writeItem("localStorage", chatItem(entry.id), null);
}

/** Keep a chat as the newest one. A full store gives up its oldest chats, never the one being written. */
export function saveChat(id: string, messages: Message[]): ChatEntry[] {
  const old = listChats();
  const title = old.find((entry) => entry.id === id)?.title ?? titleOf(messages[0]?.content ?? "");
  const chats = [{ id, title, updated: Date.now() }, ...old.filter((entry) => entry.id !== id)];
  while (chats.length > MAX_CHATS) drop(chats.pop());
  const text = JSON.stringify(messages);
  while (!writeItem("localStorage", chatItem(id), text) && chats.length > 1) drop(chats.pop());
  writeItem("localStorage", INDEX, JSON.stringify(chats));
  return chats;
}

export function deleteChat(id: string): ChatEntry[] {
  const chats = listChats().filter((entry) => entry.id !== id);
  writeItem("localStorage", chatItem(id), null);
  writeItem("localStorage", INDEX, JSON.stringify(chats));
  return chats;
}
