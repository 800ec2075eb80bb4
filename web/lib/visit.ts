import { signedInKey } from "./api/sessions";
import { addressChat, addressedChat } from "./address";
import { catalogue } from "./catalogue";
import { chat, followAddress, leaveChat, newChat, readChat, reviseChat } from "./chat";
import { chats, refreshChats } from "./chats";
import { signedIn } from "./key";
import { onLeave } from "./leaving";
import { forgetKept } from "./options";
import { leftToRemove } from "./removed";
import { hearTabs, type News } from "./tabs";
import { anyUntaken } from "./untaken";

/** Conversations while the page is open: fetched, looked at again, handed over, left. */
export function beginVisit(): () => void {
  const ended = new AbortController();
  const { signal } = ended;
  const addressed = addressedChat();
  // A page that is loaded again in the moment of a deletion still has the address of what is gone.
  const gone = addressed !== null && addressed === leftToRemove();
  if (addressed !== null) addressChat(gone ? null : addressed, "replace");
  if (gone) newChat();
  if (chat.get().reading) void readChat();
  void removeLeft().then(lookAgain);
  window.addEventListener("popstate", followAddress, { signal });
  window.addEventListener("pagehide", leave, { signal });
  window.addEventListener("pageshow", (event) => event.persisted && void lookAgain(), { signal });
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && void lookAgain(), { signal });
  const stops = [hearTabs(hear), signedIn.subscribe(() => onSignIn(signedIn.get()?.key ?? null)), catalogue.subscribe(onServer)];
  return () => {
    ended.abort();
    for (const stop of stops) stop();
  };
}

async function removeLeft(): Promise<void> {
  if (leftToRemove() !== null) await import("./removal").then((removal) => removal.resumeLeftRemoval(), () => undefined);
}

async function takeOver(): Promise<boolean> {
  return anyUntaken() && import("./takeover").then((found) => found.takeOver(), () => false);
}

/** The key that this browser is signed in with, as far as is known; null where none is needed. */
let known: string | null = null;

/** Ask the server what changed elsewhere, and give it what it does not have. */
async function lookAgain(): Promise<void> {
  await refreshChats();
  if (chats.get().error) return;
  const key = await signedInKey().catch(() => known);
  if (known !== null && key !== known) return startAnew();
  known = key;
  await reviseChat();
  if (await takeOver()) await refreshChats();
}

/** Another person signed in where somebody was: nothing of theirs stays on the screen. */
function onSignIn(key: string | null): void {
  if (known !== null && key !== known) return startAnew();
  known = key;
  void lookAgain();
}

let away = false;

/** The server came back: what it missed is given to it now. */
function onServer(): void {
  const was = away;
  away = catalogue.get().error !== null;
  if (was && !away) void lookAgain();
}

function hear(news: News): void {
  if (news.about === "conversations") void refreshChats().then(reviseChat);
  else if (news.about === "signed-out") startAnew();
  else onSignIn(news.key);
}

/** Open the page as if nobody had been here. */
export function startAnew(): void {
  forgetKept();
  window.location.replace("/");
}

function leave(): void {
  for (const work of onLeave) work();
  leaveChat();
}
