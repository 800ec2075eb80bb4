import { branchesAt, leafUnder, type Tree } from "./branches";
import { chat, type Beside } from "./chat-state";
import type { Message } from "./conversation";
import { idOf, lastKept } from "./keeping";
import { BRANCH_ITEM } from "./options";
import { readItem, writeItem } from "./storage";

/** The branch of a conversation that this tab shows, and the answer beside it: ids, none of the words. */
interface ShownBranch {
  leaf?: string;
  other?: string;
}

/** Note which branch is on the screen, so that a reload finds it again. */
export function noteBranch(): void {
  const { id, messages, beside, phase, reading } = chat.get();
  const leaf = lastKept(messages);
  if (phase === "streaming" || reading || leaf === undefined) return;
  const text = beside?.other ? `${leaf} ${beside.other}` : leaf;
  if (readItem("sessionStorage", BRANCH_ITEM + id) !== text) writeItem("sessionStorage", BRANCH_ITEM + id, text);
}

export function notedBranch(id: string, tree: Tree): ShownBranch {
  const [leaf, other] = (readItem("sessionStorage", BRANCH_ITEM + id) ?? "").split(" ");
  return { leaf: leaf ? leafUnder(tree, leaf) : undefined, other };
}

/** Where an answer stands beside the branch; undefined where the branch has no other answer to the same. */
export function besideOf(path: readonly Message[], tree: Tree, other: string | undefined): Beside | undefined {
  const at = other ? path.findIndex((message) => idOf(message) !== other && branchesAt(tree, idOf(message))?.ids.includes(other)) : -1;
  return other && path[at]?.role === "assistant" ? { at, other } : undefined;
}
