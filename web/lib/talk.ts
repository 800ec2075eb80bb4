import { readSession } from "./api/sessions";
import { noteWork, settleAnswers } from "./answering";
import { leafUnder } from "./branches";
import { change, chat, running, unsaved } from "./chat-state";
import { entryOf } from "./chats";
import { recordOf } from "./errors";
import { follow, goingOn, type Followed } from "./following-answers";
import { idOf, keptPath, lastKept } from "./keeping";
import { expected } from "./leaving";
import { besideOf, notedBranch, noteBranch } from "./shown-branch";
import { settleKeeping } from "./unkept";

export { ask, askOnceMore } from "./answering";
export { keepAnew, keepByHand, keepTalk } from "./unkept";

chat.subscribe(noteBranch);

/** Fetch a conversation and show it, where it is still the one on the screen. */
export async function readTalk(id: string): Promise<void> {
  const found = await expected(id, () => readSession(id));
  if (chat.get().id !== id) return;
  const { leaf, other } = notedBranch(id, found.messages);
  const followed = goingOn(found);
  const first = followed[0]?.id;
  const noted = keptPath(found.messages, leaf);
  const last = noted.at(-1);
  // Of two answers side by side the first may have ended.
  const isSecond = first !== undefined && first === other && last?.role === "assistant" && besideOf(noted, found.messages, other)?.at === noted.length - 1;
  if (isSecond) followed.unshift({ id: idOf(last) ?? "", over: last });
  const path = isSecond || first === undefined ? noted : keptPath(found.messages, first);
  const beside = besideOf(path, found.messages, other);
  change(id, { messages: path, tree: found.messages, seen: entryOf(found.session), reading: false, beside });
  followOn(id, followed);
}

/** Go on with answers that the server is making, from their beginning. */
function followOn(id: string, followed: Followed[]): void {
  if (followed.length === 0 || running.now || chat.get().id !== id) return;
  void noteWork(follow(id, chat.get().messages.slice(0, -1), followed));
}

/** Show an answer beside the one at this place, or none. */
export function showBeside(id: string, at: number, other: string | undefined): void {
  change(id, { beside: other === undefined ? undefined : { at, other } });
}

/** Show another branch of the conversation on the screen. */
export function showLeaf(id: string, leaf: string): void {
  change(id, { messages: keptPath(chat.get().tree, leaf) });
}

/** Show what was added to the conversation on the screen elsewhere, or that it is gone. */
export async function reviseTalk(): Promise<void> {
  const before = chat.get();
  const { id, messages } = before;
  try {
    const found = await readSession(id);
    if (chat.get() !== before || unsaved.has(id)) return;
    // What was added behind the branch on the screen is shown; another branch is not shown unasked.
    const leaf = lastKept(messages);
    const followed = goingOn(found);
    const path = keptPath(found.messages, followed[0]?.id ?? (leaf && leafUnder(found.messages, leaf)));
    const same = lastKept(path) === leaf;
    change(id, { messages: same ? messages : path, tree: found.messages, seen: entryOf(found.session), unkept: undefined });
    followOn(id, followed);
  } catch (thrown) {
    if (chat.get() === before) change(id, { unkept: recordOf(thrown) });
  }
}

/** Stop the answer; resolves once what was said is kept, or is refused. */
export async function settleTalk(): Promise<void> {
  running.now?.stop();
  await settleAnswers();
  await settleKeeping();
}
