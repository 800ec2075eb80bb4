import { addressChat, addressedChat, isChatPath } from "./address";
import { change, chat, emptyChat, running, unsaved, type Asking, type AskingAgain, type ChatState } from "./chat-state";
import { findChat } from "./chats";
import { ApiError, recordOf } from "./errors";
import { expectKept } from "./leaving";

export { chat, type Asking, type AskingAgain, type ChatState } from "./chat-state";

/** What reads, asks and keeps, in a script of its own: the first paint needs none of it. */
const talk = () =>
  import("./talk").catch((thrown: unknown) => {
    throw new ApiError({ code: "client_unreachable", message: String(thrown) });
  });

/** Fetch that script, before it is needed. */
export const loadTalk = (): Promise<unknown> => talk().catch(() => undefined);

function show(state: ChatState): void {
  const before = running.now;
  running.now = null;
  before?.away();
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
  if (held) return show({ ...emptyChat(), id, messages: held.messages, seen: findChat(id), unkept: held.refusal });
  show({ ...emptyChat(), id, reading: true });
  void readChat();
}

/** Go where the address says, after the browser's own back and forward. */
export function followAddress(): void {
  const id = addressedChat();
  if (id !== null) openChat(id);
  else if (isChatPath(window.location.pathname) && chat.get().messages.length > 0) show(emptyChat());
}

/** Fetch the conversation on the screen, or fetch it again after that failed. */
export async function readChat(): Promise<void> {
  const { id } = chat.get();
  change(id, { reading: true, error: undefined });
  try {
    await (await talk()).readTalk(id);
  } catch (thrown) {
    change(id, { error: recordOf(thrown), reading: false });
  }
}

/** Look whether the conversation on the screen is still as the server has it: another tab, another
 * browser or the command line may have gone on with it, or deleted it. */
export async function reviseChat(): Promise<void> {
  const { id, phase, reading, error, messages, seen } = chat.get();
  if (error) return readChat();
  if (unsaved.has(id)) return phase === "idle" ? keepChat(id) : undefined;
  if (phase !== "idle" || reading || messages.length === 0 || findChat(id)?.updated === seen?.updated) return;
  await (await talk()).reviseTalk();
}

export function stopAnswer(): void {
  running.now?.stop();
}

/** While the page is being left: what was asked a moment ago may still be on its way. */
export function leaveChat(): void {
  const { id, seen, phase } = chat.get();
  if (phase !== "idle" || unsaved.has(id)) expectKept(id, seen?.messages ?? 0);
}

/** Stop the answer; resolves once what was said is kept, or is refused. */
export async function settleChat(): Promise<void> {
  if (running.now || unsaved.size > 0) await (await talk()).settleTalk();
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

/** Ask: what a question carries beside its words is in lib/options.ts. */
export function sendQuestion(text: string, asking: Asking = {}): void {
  if (chat.get().phase !== "idle" || (text.trim() === "" && !asking.attachments?.length)) return;
  void begin((found) => found.ask(text.trim(), asking));
}

/** Ask a question of the branch on the screen again; what was answered before stays beside the new answer. */
export function askAgain(asking: AskingAgain): void {
  if (chat.get().phase === "idle") void begin((found) => found.askOnceMore(asking));
}

/** Show another branch of the conversation on the screen: the one that ends with this message. */
export async function showBranch(leaf: string): Promise<void> {
  const { id, phase } = chat.get();
  if (phase === "idle" && !unsaved.has(id)) (await talk()).showLeaf(id, leaf);
}

/** Nothing else can be asked while the script is on its way. */
async function begin(work: (found: Awaited<ReturnType<typeof talk>>) => Promise<void>): Promise<void> {
  const { id } = chat.get();
  change(id, { phase: "waiting" });
  try {
    const found = await talk();
    change(id, { phase: "idle" });
    await work(found);
  } catch (thrown) {
    change(id, { phase: "idle", unkept: recordOf(thrown) });
  }
}

/** Store what the server does not keep yet of a conversation. */
export async function keepChat(id: string): Promise<void> {
  if (unsaved.has(id)) await (await talk()).keepTalk(id);
}

/** The same after the person asked for it: then a key may be asked for again. */
export async function keepByHand(): Promise<void> {
  await (await talk()).keepByHand();
}

/** Store the conversation on the screen as a new one: the server has no more what it goes on from. */
export async function keepAnew(): Promise<void> {
  await (await talk()).keepAnew();
}
