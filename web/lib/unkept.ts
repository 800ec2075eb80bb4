import { addressChat } from "./address";
import { change, chat, unsaved } from "./chat-state";
import { dropChat, entryOf, findChat, isHidden, putChat, type ChatEntry } from "./chats";
import { titleOf, type Message } from "./conversation";
import { recordOf } from "./errors";
import { grownTree, keepAsNew, keepMissing, missingOf } from "./keeping";
import { allowAsking } from "./key";
import { tellTabs } from "./tabs";

/** A conversation in the list that the server does not have. */
export function localEntry(id: string, messages: Message[]): ChatEntry {
  const first = messages.find((message) => message.role === "user")?.content ?? "";
  const updated = new Date().toISOString();
  return { id, title: titleOf(first), updated, messages: messages.length, pinned: false, local: true };
}

let keeping: Promise<unknown> = Promise.resolve();

/** Resolves once everything is kept, or is refused. */
export const settleKeeping = (): Promise<unknown> => keeping;

/** Store what the server does not keep yet of a conversation; one after the other, since each message
 * names the one before it. */
export function keepTalk(id: string): Promise<void> {
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
    change(id, { seen: entryOf(session), unkept: undefined, tree: grownTree(chat.get().tree, held.messages) });
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
  return keepTalk(id);
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
    chat.set((old) => ({ ...old, id: session.id, seen: entryOf(session), unkept: undefined, tree: grownTree([], messages) }));
    addressChat(session.id, "replace");
    tellTabs({ about: "conversations" });
  } catch (thrown) {
    change(id, { unkept: recordOf(thrown) });
  }
}
