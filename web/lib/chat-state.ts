import type { Attachment } from "./attachments";
import { addressedChat, newChatId } from "./address";
import type { MessageRecord } from "./api/types";
import type { ChatEntry } from "./chats";
import type { AssistantMessage, Message } from "./conversation";
import type { ErrorRecord } from "./errors";
import { createStore } from "./store";
import type { ToolResult } from "./tool-calls";

/** The conversation on the screen; it outlives the page's components, so a stream goes on while
 * the plugins page is looked at. */
export interface ChatState {
  id: string;
  /** The branch that is shown. */
  messages: Message[];
  /** Every branch, as the server was last heard to keep it. */
  tree: MessageRecord[];
  /** waiting: sent, nothing came yet. */
  phase: "idle" | "waiting" | "streaming";
  /** A second answer to a question of the branch, which is shown beside the first. */
  beside?: Beside;
  /** How many the server answers before this one comes, itself included; 0 where nobody is before. */
  queue?: number;
  /** What the server had of it when it was last heard. */
  seen?: ChatEntry;
  /** It is being fetched. */
  reading?: boolean;
  /** Why it cannot be shown. */
  error?: ErrorRecord;
  /** Why the server does not keep it as it is shown. */
  unkept?: ErrorRecord;
}

export interface Beside {
  /** The place in the branch of the answer beside which it stands. */
  at: number;
  /** The server's id of it; empty where the server refused to make it. */
  other: string;
  /** What is heard of it, as long as it is in no tree. */
  growing?: AssistantMessage;
  queue?: number;
}

export interface Asking {
  /** Without it, and where it is null, the server chooses. */
  model?: string | null;
  /** What came of the calls of the answer before it. */
  results?: ToolResult[];
  /** Images and text files that it brings. */
  attachments?: readonly Attachment[];
}

/** A question of the branch on the screen that is asked once more, which makes another branch. */
export interface AskingAgain {
  /** Its place in the branch. */
  at: number;
  model?: string | null;
  /** In other words. */
  text?: string;
  /** The model goes on from the words of the answer that is shown, which the server keeps. */
  goOn?: boolean;
}

/** A conversation without a word. */
export const emptyChat = (): ChatState => ({ id: newChatId(), messages: [], tree: [], phase: "idle" });

function initialChat(): ChatState {
  const id = addressedChat();
  return id === null ? emptyChat() : { ...emptyChat(), id, reading: true };
}

export const chat = createStore<ChatState>({ ...emptyChat(), id: "" }, initialChat());

/** Change the conversation on the screen, where it is still this one. */
export function change(id: string, next: Partial<ChatState>): void {
  if (chat.get().id === id) chat.set((old) => ({ ...old, ...next }));
}

/** Conversations with something that the server does not keep; they live as long as this page. */
export const unsaved = new Map<string, { messages: Message[]; refusal?: ErrorRecord }>();

/** The answer that is being written, as the page hears it. */
interface Running {
  /** The person wants no more of it. */
  stop(): void;
  /** Another conversation is shown: one that the server makes goes on. */
  away(): void;
}

export const running: { now: Running | null } = { now: null };
