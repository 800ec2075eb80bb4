import { importSession, keepExchange, readSession } from "./api/sessions";
import type { MessageRecord, SessionRecord } from "./api/types";
import { newChatId } from "./address";
import { chosenPath } from "./branches";
import { detailsOf, exportOf, messageOf, questionDetails, type AssistantMessage, type Message } from "./conversation";
import { ApiError } from "./errors";

/** A message on the screen does not change once it is whole; these are the server's ids of those it keeps. */
const ids = new WeakMap<Message, string>();

/** The server's id of a message that it keeps. */
export const idOf = (message: Message | undefined): string | undefined => message && ids.get(message);

export const isKept = (message: Message | undefined): boolean => message !== undefined && ids.has(message);

/** A branch of a conversation, as messages that are kept already: the one that ends with `leaf`, else the latest. */
export function keptPath(records: MessageRecord[], leaf?: string): Message[] {
  return chosenPath(records, leaf).map((record) => {
    const message = messageOf(record);
    ids.set(message, record.id);
    return message;
  });
}

/** The tree with the messages of a branch that the server keeps by now. */
export function grownTree(tree: MessageRecord[], path: Message[]): MessageRecord[] {
  const known = new Set(tree.map(({ id }) => id));
  const added = path.flatMap((message, at): MessageRecord[] => {
    const id = ids.get(message);
    if (id === undefined || known.has(id)) return [];
    const { role, content, at: created_at = "" } = message;
    const said = message.role === "assistant" ? { model: message.model ?? null, details: detailsOf(message) } : { model: null, details: questionDetails(message) };
    return [{ id, parent_message_id: idOf(path[at - 1]) ?? null, role, content, created_at, ...said }];
  });
  return added.length > 0 ? [...tree, ...added] : tree;
}

/** What shows that nothing was added to a conversation since it was read: the id of its last message. */
export const lastKept = (messages: Message[]): string | undefined => messages.map((message) => ids.get(message)).findLast(Boolean);

interface Missing {
  question: Message;
  answer: AssistantMessage;
  /** The message that the question follows. */
  before: Message | undefined;
}

/** Questions with their answers that the server does not keep, oldest first. */
export function missingOf(messages: Message[]): Missing[] {
  const found: Missing[] = [];
  messages.forEach((answer, at) => {
    const question = messages[at - 1];
    if (answer.role !== "assistant" || question?.role !== "user" || isKept(answer)) return;
    found.push({ question, answer, before: messages[at - 2] });
  });
  return found;
}

const exchangeOf = ({ question, answer, before }: Missing) => ({
  question: question.content,
  answer: answer.content,
  model: answer.model ?? null,
  parent_message_id: before ? (ids.get(before) ?? null) : "root",
  details: detailsOf(answer),
  question_details: questionDetails(question),
});

/** Take the ids of an exchange that an earlier try did store, though its answer was not heard. */
function recognise({ question, answer, before }: Missing, records: MessageRecord[]): boolean {
  const parent = before ? ids.get(before) : null;
  for (const said of records) {
    if (said.role !== "assistant" || said.content !== answer.content || said.parent_message_id === null) continue;
    const asked = records.find((one) => one.id === said.parent_message_id);
    if (asked?.role !== "user" || asked.content !== question.content || asked.parent_message_id !== parent) continue;
    ids.set(question, asked.id);
    ids.set(answer, said.id);
    return true;
  }
  return false;
}

/** What the server has of a conversation; null where it has none. */
async function storedOf(id: string): Promise<Awaited<ReturnType<typeof readSession>> | null> {
  try {
    return await readSession(id);
  } catch (thrown) {
    if (thrown instanceof ApiError && thrown.status === 404) return null;
    throw thrown;
  }
}

/**
 * Store what the server does not keep yet of a conversation; null where nothing was missing.
 * `again` after a try that failed: it may have reached the server all the same.
 */
export async function keepMissing(id: string, messages: Message[], again: boolean): Promise<SessionRecord | null> {
  const stored = again ? await storedOf(id) : null;
  let session = stored?.session ?? null;
  for (const missing of missingOf(messages)) {
    if (stored && recognise(missing, stored.messages)) continue;
    const kept = await keepExchange(id, exchangeOf(missing));
    ids.set(missing.question, kept.question_id);
    ids.set(missing.answer, kept.message_id);
    session = kept.session;
  }
  return session;
}

/** Store a whole conversation under a new id, where the server has no more what it goes on from. */
export async function keepAsNew(messages: Message[], title: string): Promise<SessionRecord> {
  const session = await importSession(exportOf(messages, { id: newChatId(), title }));
  const stored = await readSession(session.id);
  stored.messages.forEach((record, at) => {
    const message = messages[at];
    if (message) ids.set(message, record.id);
  });
  return session;
}
