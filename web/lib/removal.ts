import { deleteSession, listSessions, MOST_SESSIONS } from "./api/sessions";
import { forgetChat, keepChat, putAwayChat } from "./chat";
import { findChat, hideChat, refuseChats, showChatAgain, unhideChat } from "./chats";
import { ApiError, recordOf } from "./errors";
import { allowAsking } from "./key";
import { onLeave } from "./leaving";
import { forgetKept } from "./options";
import { readItem, writeItem } from "./storage";
import { NOTE, removal } from "./removed";
import { tellTabs } from "./tabs";

/** How long a deletion can be undone, unless something else ends that sooner. */
export const UNDO_MS = 10_000;

let timer: ReturnType<typeof setTimeout> | undefined;

/** Delete a conversation: at once on the screen, on the server when it can no more be undone. */
export function removeChat(id: string): void {
  const entry = findChat(id);
  if (!entry) return;
  void finishRemoval();
  hideChat(id);
  putAwayChat(id);
  removal.set(entry);
  resumeRemoval();
}

export function undoRemoval(): void {
  const entry = removal.get();
  if (!entry) return;
  holdRemoval();
  removal.set(null);
  showChatAgain(entry);
  void keepChat(entry.id);
}

/** Let nothing run out while somebody is about to decide. */
export function holdRemoval(): void {
  clearTimeout(timer);
}

export function resumeRemoval(): void {
  holdRemoval();
  if (removal.get()) timer = setTimeout(() => void finishRemoval(), UNDO_MS);
}

/** The page is left: the deletion is on its way, and the next page may be quicker than it. */
function leaveRemoval(): void {
  const entry = removal.get();
  if (entry && !entry.local) writeItem("sessionStorage", NOTE, entry.id);
  void finishRemoval();
}

onLeave.add(leaveRemoval);

/** See to it that what the page before deleted while it was left is gone. */
export async function resumeLeftRemoval(): Promise<void> {
  const id = readItem("sessionStorage", NOTE);
  if (id === null) return;
  writeItem("sessionStorage", NOTE, null);
  hideChat(id);
  try {
    const listed = await listSessions(MOST_SESSIONS, 0);
    if (listed.some((session) => session.id === id)) await deleteSession(id);
  } catch {
    // Listed again; whoever still wants it deleted hears then why it was refused.
    unhideChat(id);
  }
}

/** Delete for good what is off the list. Where the server refuses, it is listed again. */
export async function finishRemoval(): Promise<void> {
  const entry = removal.get();
  if (!entry) return;
  holdRemoval();
  removal.set(null);
  try {
    allowAsking();
    if (!entry.local) await deleteSession(entry.id);
  } catch (thrown) {
    // Somebody else was quicker.
    if (!(thrown instanceof ApiError && thrown.status === 404)) {
      showChatAgain(entry);
      void keepChat(entry.id);
      return refuseChats(recordOf(thrown));
    }
  }
  forgetChat(entry.id);
  forgetKept(entry.id);
  tellTabs({ about: "conversations" });
}
