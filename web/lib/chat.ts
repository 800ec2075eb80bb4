import { addressChat, addressedChat, newChatId } from "./address";
import { streamChat } from "./api";
import { readSession } from "./api/sessions";
import { catalogue, refresh } from "./catalogue";
import { dropChat, entryOf, findChat, isHidden, putChat, type ChatEntry } from "./chats";
import { titleOf, wireMessages, type AssistantMessage, type Message } from "./conversation";
import { isAbort, recordOf, type ErrorRecord } from "./errors";
import { batched } from "./frames";
import { GrowingAnswer } from "./growing";
import { keepAsNew, keepMissing, keepOnLeaving, keptPath, lastKept, missingOf } from "./keeping";
import { allowAsking } from "./key";
import { expected, expectKept, watchUnload } from "./leaving";
import { createStore } from "./store";
import { tellTabs } from "./tabs";

/** The conversation on the screen; it outlives the page's components, so a stream goes on while
 * the plugins page is looked at. */
export interface ChatState {
  id: string;
  messages: Message[];
  /** waiting: sent, nothing came yet. */
  phase: "idle" | "waiting" | "streaming";
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

const emptyChat = (): ChatState => ({ id: newChatId(), messages: [], phase: "idle" });

function initialChat(): ChatState {
  const id = addressedChat();
  return id === null ? emptyChat() : { id, messages: [], phase: "idle", reading: true };
}

export const chat = createStore<ChatState>({ id: "", messages: [], phase: "idle" }, initialChat());

/** Conversations with something that the server does not keep; they live as long as this page. */
const unsaved = new Map<string, { messages: Message[]; refusal?: ErrorRecord }>();
let running: { controller: AbortController; leave: () => void } | null = null;
let answering: Promise<void> = Promise.resolve();

function change(id: string, next: Partial<ChatState>): void {
  if (chat.get().id === id) chat.set((old) => ({ ...old, ...next }));
}

function show(state: ChatState): void {
  stopAnswer();
  chat.set(state);
}

export function newChat(): void {
  addressChat(null, "push");
  show(emptyChat());
}

export function openChat(id: string): void {
  addressChat(id, "push");
  if (id === chat.get().id) return;
  const held = unsaved.get(id);
  if (held) return show({ id, messages: held.messages, phase: "idle", seen: findChat(id), unkept: held.refusal });
  show({ id, messages: [], phase: "idle", reading: true });
  void readChat();
}

/** Go where the address says, after the browser's own back and forward. */
export function followAddress(): void {
  const id = addressedChat();
  if (id !== null) openChat(id);
  else if (window.location.pathname === "/" && chat.get().messages.length > 0) show(emptyChat());
}

/** Fetch the conversation on the screen, or fetch it again after that failed. */
export async function readChat(): Promise<void> {
  const { id } = chat.get();
  change(id, { reading: true, error: undefined });
  try {
    const { session, messages } = await expected(id, () => readSession(id));
    change(id, { messages: keptPath(messages), seen: entryOf(session), reading: false });
  } catch (thrown) {
    change(id, { error: recordOf(thrown), reading: false });
  }
}

/** Look whether the conversation on the screen is still as the server has it: another tab, another
 * browser or the command line may have gone on with it, or deleted it. */
export async function reviseChat(): Promise<void> {
  const before = chat.get();
  const { id, phase, reading, error, messages, seen } = before;
  if (error) return readChat();
  if (unsaved.has(id)) return keepChat(id);
  if (phase !== "idle" || reading || messages.length === 0 || findChat(id)?.updated === seen?.updated) return;
  try {
    const found = await readSession(id);
    if (chat.get() !== before) return;
    const path = keptPath(found.messages);
    const same = lastKept(path) === lastKept(messages);
    change(id, { messages: same ? messages : path, seen: entryOf(found.session), unkept: undefined });
  } catch (thrown) {
    if (chat.get() === before) change(id, { unkept: recordOf(thrown) });
  }
}

export function stopAnswer(): void {
  running?.controller.abort();
}

/** While the page is being left: what came of an answer is kept as stopped. */
export function leaveChat(): void {
  const { id, seen } = chat.get();
  if (running || unsaved.has(id)) expectKept(id, seen?.messages ?? 0);
  running?.leave();
}

/** Stop the answer; resolves once what came of it is kept, or is refused. */
export async function settleChat(): Promise<void> {
  stopAnswer();
  await answering;
  await keeping;
}

/** Take a conversation off the screen that is deleted; what the server does not keep of it stays until
 * that cannot be undone. */
export function putAwayChat(id: string): void {
  if (id === chat.get().id) newChat();
}

/** Take everything off the screen and out of memory. */
export function forgetChats(): void {
  unsaved.clear();
  show(emptyChat());
}

export function forgetChat(id: string): void {
  unsaved.delete(id);
}

export function sendMessage(text: string, model: string | null): void {
  const { messages, phase } = chat.get();
  if (phase !== "idle" || text.trim() === "") return;
  answering = answer([...messages, questionOf(text.trim())], model);
}

/** Ask the last question again. On the screen its old answer goes away, in the store it stays beside
 * the new one. */
export function regenerate(model: string | null): void {
  const { messages, phase } = chat.get();
  if (phase !== "idle") return;
  const last = messages.findLastIndex((message) => message.role === "user");
  const question = messages[last];
  if (question) answering = answer([...messages.slice(0, last), questionOf(question.content)], model);
}

const questionOf = (content: string): Message => ({ role: "user", content, at: new Date().toISOString() });

async function answer(asked: Message[], model: string | null): Promise<void> {
  const { id, seen, unkept } = chat.get();
  const controller = new AbortController();
  const growing = new GrowingAnswer();
  const unload = watchUnload();
  let left = false;
  const leave = () => {
    left = true;
    keepOnLeaving(id, [...asked, growing.end({ stopped: true })]);
  };
  const mine = { controller, leave };
  running = mine;
  allowAsking();
  chat.set({ id, seen, unkept, messages: [...asked, growing.message], phase: "waiting" });
  addressChat(id, "replace");
  if (!findChat(id)) putChat(localEntry(id, asked));

  const paint = batched(() => {
    if (running !== mine) return;
    const phase = growing.started ? "streaming" : "waiting";
    change(id, { messages: [...asked, growing.message], phase, queue: growing.queue });
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
    const stopped = controller.signal.aborted || isAbort(thrown) || unload.begun;
    ended = growing.end(stopped ? { stopped: true } : { error: recordOf(thrown) });
  }
  unload.end();
  paint.cancel();
  if (running === mine) running = null;
  change(id, { messages: [...asked, ended], phase: "idle", queue: 0 });
  if (left) return readChat();
  unsaved.set(id, { messages: [...asked, ended], refusal: unsaved.get(id)?.refusal });
  await keepChat(id);
  // An error, or a provider that was asleep: what is known about the providers is old.
  const providers = catalogue.get().overview?.providers ?? [];
  if (ended.error || providers.some((provider) => provider.status === "idle")) void refresh();
}

function localEntry(id: string, messages: Message[]): ChatEntry {
  const first = messages.find((message) => message.role === "user")?.content ?? "";
  const updated = new Date().toISOString();
  return { id, title: titleOf(first), updated, messages: messages.length, pinned: false, local: true };
}

let keeping: Promise<unknown> = Promise.resolve();

/** Store what the server does not keep yet of a conversation; one after the other, since each message
 * names the one before it. */
export function keepChat(id: string): Promise<void> {
  const done = keeping.then(() => keepNow(id));
  keeping = done;
  return done;
}

async function keepNow(id: string): Promise<void> {
  const held = unsaved.get(id);
  if (!held || isHidden(id)) return;
  try {
    const session = await keepMissing(id, held.messages, held.refusal !== undefined);
    if (unsaved.get(id)?.messages === held.messages) unsaved.delete(id);
    if (!session) return change(id, { unkept: undefined });
    putChat(entryOf(session));
    change(id, { seen: entryOf(session), unkept: undefined });
    tellTabs({ about: "conversations" });
  } catch (thrown) {
    const refusal = recordOf(thrown);
    const latest = unsaved.get(id);
    if (latest) unsaved.set(id, { ...latest, refusal });
    change(id, { unkept: refusal });
    if (!findChat(id)) putChat(localEntry(id, held.messages));
    // A reload could not find what is kept nowhere.
    if (chat.get().id === id && missingOf(held.messages).length * 2 === held.messages.length) addressChat(null, "replace");
  }
}

/** The same after the person asked for it: then a key may be asked for again. */
export function keepByHand(): Promise<void> {
  allowAsking();
  const { id, messages } = chat.get();
  if (!unsaved.has(id)) unsaved.set(id, { messages, refusal: chat.get().unkept });
  return keepChat(id);
}

/** Store the conversation on the screen as a new one: the server has no more what it goes on from. */
export async function keepAnew(): Promise<void> {
  allowAsking();
  const { id, messages, seen } = chat.get();
  try {
    const session = await keepAsNew(messages, seen?.title ?? localEntry(id, messages).title);
    unsaved.delete(id);
    dropChat(id);
    putChat(entryOf(session));
    if (chat.get().id !== id) return;
    chat.set((old) => ({ ...old, id: session.id, seen: entryOf(session), unkept: undefined }));
    addressChat(session.id, "replace");
    tellTabs({ about: "conversations" });
  } catch (thrown) {
    change(id, { unkept: recordOf(thrown) });
  }
}
