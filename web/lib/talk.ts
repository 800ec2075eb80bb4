import { change, chat, unsaved } from "./chat-state";
import { leafUnder } from "./branches";
import { entryOf } from "./chats";
import { readSession } from "./api/sessions";
import { recordOf } from "./errors";
import { keptPath, lastKept } from "./keeping";
import { expected } from "./leaving";

export { ask, askOnceMore, settleTalk } from "./answering";
export { keepAnew, keepByHand, keepTalk } from "./unkept";

/** Fetch a conversation and show it, where it is still the one on the screen. */
export async function readTalk(id: string): Promise<void> {
  const { session, messages } = await expected(id, () => readSession(id));
  change(id, { messages: keptPath(messages), tree: messages, seen: entryOf(session), reading: false });
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
    const path = keptPath(found.messages, leaf && leafUnder(found.messages, leaf));
    const same = lastKept(path) === leaf;
    change(id, { messages: same ? messages : path, tree: found.messages, seen: entryOf(found.session), unkept: undefined });
  } catch (thrown) {
    if (chat.get() === before) change(id, { unkept: recordOf(thrown) });
  }
}
