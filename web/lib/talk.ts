import { readSession } from "./api/sessions";
import { follow, settleAnswers } from "./answering";
import { leafUnder } from "./branches";
import { change, chat, running, unsaved } from "./chat-state";
import { entryOf } from "./chats";
import { recordOf } from "./errors";
import { keptPath, lastKept } from "./keeping";
import { expected } from "./leaving";
import { settleKeeping } from "./unkept";

export { ask, askOnceMore } from "./answering";
export { keepAnew, keepByHand, keepTalk } from "./unkept";

type Found = Awaited<ReturnType<typeof readSession>>;

/** Fetch a conversation and show it, where it is still the one on the screen. */
export async function readTalk(id: string): Promise<void> {
  const found = await expected(id, () => readSession(id));
  if (chat.get().id !== id) return;
  const path = keptPath(found.messages, goingOn(found));
  change(id, { messages: path, tree: found.messages, seen: entryOf(found.session), reading: false });
  followOn(id, found);
}

/** The answer that is being written, the latest where there are several. */
const goingOn = ({ answering }: Found): string | undefined => answering.at(-1)?.message_id;

/** Go on with an answer that the server is making, from its beginning. */
function followOn(id: string, found: Found): void {
  const answer = goingOn(found);
  if (answer === undefined || running.now || chat.get().id !== id) return;
  void follow(id, chat.get().messages.slice(0, -1), answer);
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
    const path = keptPath(found.messages, goingOn(found) ?? (leaf && leafUnder(found.messages, leaf)));
    const same = lastKept(path) === leaf;
    change(id, { messages: same ? messages : path, tree: found.messages, seen: entryOf(found.session), unkept: undefined });
    followOn(id, found);
  } catch (thrown) {
    if (chat.get() === before) change(id, { unkept: recordOf(thrown) });
  }
}

/** Let go of the answer; resolves once what the server does not keep is kept, or is refused. */
export async function settleTalk(): Promise<void> {
  running.now?.away();
  await settleAnswers();
  await settleKeeping();
}
