import { streamChat } from "./api";
import { catalogue, refresh } from "./catalogue";
import { isAbort, recordOf } from "./errors";
import { batched } from "./frames";
import { deleteChat, listChats, readChat, saveChat } from "./history";
import type { AssistantMessage, ChatEntry, Message } from "./history";
import { allowAsking } from "./key";
import { readItem, writeItem } from "./storage";
import { createStore } from "./store";
import type { ChatPiece, WireMessage } from "./api/types";

/** The conversation on the screen; it outlives the page's components, so a stream goes on while
 * the plugins page is looked at. */
export interface ChatState {
  id: string;
  messages: Message[];
  /** waiting: sent, nothing came yet. */
  phase: "idle" | "waiting" | "streaming";
  /** How many the server answers before this one comes, itself included; 0 where nobody is before. */
  queue?: number;
}

const ACTIVE = "venom.active";
const newId = () => Date.now().toString(36) + Math.random().toString(36).slice(2, 6);
const emptyChat = (): ChatState => ({ id: newId(), messages: [], phase: "idle" });

function initialChat(): ChatState {
  const id = readItem("sessionStorage", ACTIVE);
  const messages = id ? readChat(id) : [];
  return id && messages.length > 0 ? { id, messages, phase: "idle" } : emptyChat();
}

export const chat = createStore<ChatState>({ id: "", messages: [], phase: "idle" }, initialChat());
export const chats = createStore<ChatEntry[]>([], listChats());

let running: AbortController | null = null;

function show(state: ChatState): void {
  stopAnswer();
  writeItem("sessionStorage", ACTIVE, state.messages.length > 0 ? state.id : null);
  chat.set(state);
}

export function newChat(): void {
  show(emptyChat());
}

export function openChat(id: string): void {
  if (id !== chat.get().id) show({ id, messages: readChat(id), phase: "idle" });
}

export function removeChat(id: string): void {
  if (id === chat.get().id) show(emptyChat());
  chats.set(deleteChat(id));
}

export function stopAnswer(): void {
  running?.abort();
}

/** What the model is told: a turn that failed without a word is left out, with its question. */
export function wireMessages(messages: Message[]): WireMessage[] {
  const sent: WireMessage[] = [];
  for (const { role, content } of messages) {
    if (role === "assistant" && content === "") sent.pop();
    else sent.push({ role, content });
  }
  return sent;
}

export function sendMessage(text: string, model: string | null): void {
  const { messages, phase } = chat.get();
  if (phase !== "idle" || text.trim() === "") return;
  void answer([...messages, { role: "user", content: text.trim() }], model);
}

/** Ask the last question again; its old answer goes away. */
export function regenerate(model: string | null): void {
  const { messages, phase } = chat.get();
  if (phase !== "idle") return;
  const last = messages.findLastIndex((message) => message.role === "user");
  if (last >= 0) void answer(messages.slice(0, last + 1), model);
}

/** Grows one answer from its pieces and notes the times; knows nothing of the screen. */
class AnswerInProgress {
  message: AssistantMessage = { role: "assistant", content: "" };
  queue = 0;
  private readonly sentAt = performance.now();
  private firstAt = 0;
  private lastAt = 0;

  add(piece: ChatPiece): void {
    const old = this.message;
    if (piece.content || piece.reasoning) {
      this.lastAt = performance.now();
      this.firstAt ||= this.lastAt;
    }
    this.message = {
      ...old,
      content: old.content + (piece.content ?? ""),
      ...(piece.reasoning && { reasoning: (old.reasoning ?? "") + piece.reasoning }),
      ...(piece.resolved && { model: piece.resolved }),
      ...(piece.finish && { finish: piece.finish }),
      ...(piece.usage && { stats: { completionTokens: piece.usage.completion_tokens } }),
    };
  }

  end(change: Partial<AssistantMessage> = {}): AssistantMessage {
    const stats = { ...this.message.stats };
    if (this.firstAt) stats.ttftMs = Math.round(this.firstAt - this.sentAt);
    // The first token's time is the prompt's: the rate counts the tokens after it.
    const seconds = (this.lastAt - this.firstAt) / 1000;
    const rest = (stats.completionTokens ?? 0) - 1;
    if (rest > 0 && seconds > 0) stats.tokensPerSecond = rest / seconds;
    return { ...this.message, ...change, stats };
  }
}

async function answer(asked: Message[], model: string | null): Promise<void> {
  const { id } = chat.get();
  const controller = new AbortController();
  running = controller;
  allowAsking();
  const growing = new AnswerInProgress();
  chat.set({ id, messages: [...asked, growing.message], phase: "waiting" });
  chats.set(saveChat(id, asked));
  writeItem("sessionStorage", ACTIVE, id);

  const started = () => growing.message.content !== "" || growing.message.reasoning !== undefined;
  const paint = batched(() => {
    if (running !== controller) return;
    const phase = started() ? "streaming" : "waiting";
    chat.set({ id, messages: [...asked, growing.message], phase, queue: growing.queue });
  });
  const onQueue = (place: number) => {
    growing.queue = place;
    paint.later();
  };
  let ended: AssistantMessage;
  try {
    for await (const piece of streamChat(model, wireMessages(asked), controller.signal, onQueue)) {
      growing.add(piece);
      paint.later();
    }
    ended = growing.end();
  } catch (thrown) {
    const stopped = controller.signal.aborted || isAbort(thrown);
    ended = growing.end(stopped ? { stopped: true } : { error: recordOf(thrown) });
  }
  paint.cancel();
  if (running === controller) running = null;
  const messages = [...asked, ended];
  // The chat may have been deleted, or another one opened, while this one was answered.
  if (chats.get().some((entry) => entry.id === id)) chats.set(saveChat(id, messages));
  if (chat.get().id === id) chat.set({ id, messages, phase: "idle" });
  // An error, or a provider that was asleep: what is known about the providers is old.
  const providers = catalogue.get().overview?.providers ?? [];
  if (ended.error || providers.some((provider) => provider.status === "idle")) void refresh();
}
