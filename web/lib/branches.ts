import type { MessageRecord } from "./api/types";

/**
 * Messages are a tree: each names the one that it follows, and stands behind it in the list. Asking
 * again keeps a question once more with its new answer, so what belongs together is told by its words.
 */
export type Tree = readonly MessageRecord[];

/** The messages that follow one, oldest first; null gives those that begin the conversation. */
export const childrenOf = (tree: Tree, id: string | null): MessageRecord[] =>
  tree.filter((message) => message.parent_message_id === id);

/** The messages from the first to the one with this id. */
export function pathTo(tree: Tree, id: string | undefined): MessageRecord[] {
  const byId = new Map(tree.map((message) => [message.id, message]));
  const path: MessageRecord[] = [];
  let at = id === undefined ? undefined : byId.get(id);
  // A message stands behind the one that it follows, so this ends.
  while (at && path.length < tree.length) {
    path.push(at);
    at = at.parent_message_id === null ? undefined : byId.get(at.parent_message_id);
  }
  return path.reverse();
}

/** The branch that ends with the message `leaf`; without it, or where it is gone, the one with the latest answer. */
export function chosenPath(tree: Tree, leaf?: string): MessageRecord[] {
  const chosen = pathTo(tree, leaf);
  return chosen.length > 0 ? chosen : pathTo(tree, tree.findLast((message) => message.role !== "user")?.id);
}

/** Where the conversation goes on from a message: the latest answer below it, else itself. */
export function leafUnder(tree: Tree, id: string): string {
  const below = new Set([id]);
  let leaf = id;
  for (const message of tree) {
    if (message.parent_message_id === null || !below.has(message.parent_message_id)) continue;
    below.add(message.id);
    if (message.role !== "user") leaf = message.id;
  }
  return leaf;
}

/** What stands at one place of a conversation, oldest first, and which of them is meant. */
export interface Branches {
  ids: string[];
  at: number;
}

const wording = ({ role, content, details }: MessageRecord): string => JSON.stringify([role, content, details]);

/** Messages beside a question: the questions at its place, each wording once, by its latest one. */
function questionsBeside(tree: Tree, message: MessageRecord): Branches {
  const latest = new Map<string, string>();
  for (const one of childrenOf(tree, message.parent_message_id)) latest.set(wording(one), one.id);
  return { ids: [...latest.values()], at: [...latest.keys()].indexOf(wording(message)) };
}

/** Messages beside an answer: every answer to the same words at the same place. */
function answersBeside(tree: Tree, answer: MessageRecord): Branches {
  const question = tree.find((message) => message.id === answer.parent_message_id);
  const asked = question ? childrenOf(tree, question.parent_message_id).filter((one) => wording(one) === wording(question)) : [];
  const ids = tree.filter((one) => asked.some(({ id }) => id === one.parent_message_id)).map(({ id }) => id);
  return { ids, at: ids.indexOf(answer.id) };
}

/** The branches at a message's place; null where it is the only one there, or is not in the tree. */
export function branchesAt(tree: Tree, id: string | undefined): Branches | null {
  const message = tree.find((one) => one.id === id);
  if (!message) return null;
  const found = message.role === "assistant" && message.parent_message_id !== null ? answersBeside(tree, message) : questionsBeside(tree, message);
  return found.ids.length > 1 ? found : null;
}

/** The leaf to show after a step to the branch before (-1) or behind (1); undefined at either end. */
export function switched(tree: Tree, id: string, step: -1 | 1): string | undefined {
  const branches = branchesAt(tree, id);
  const next = branches?.ids[branches.at + step];
  return next === undefined ? undefined : leafUnder(tree, next);
}
