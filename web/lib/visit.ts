import { signedInKey } from "./api/sessions";
import { catalogue } from "./catalogue";
import { chat, followAddress, forgetChats, leaveChat, readChat, reviseChat, settleChat } from "./chat";
import { chats, refreshChats } from "./chats";
import { endSession, signedIn } from "./key";
import { finishRemoval, leaveRemoval, resumeLeftRemoval } from "./removal";
import { hearTabs, tellTabs } from "./tabs";
import { forgetOld, takeOver } from "./takeover";

/** Conversations while the page is open: fetched, looked at again, handed over, left. */
export function beginVisit(): () => void {
  const ended = new AbortController();
  const { signal } = ended;
  if (chat.get().reading) void readChat();
  void resumeLeftRemoval().then(lookAgain);
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

function hear(news: Parameters<typeof tellTabs>[0]): void {
  if (news.about === "conversations") void refreshChats().then(reviseChat);
  else if (news.about === "signed-out") startAnew();
  else onSignIn(news.key);
}

function startAnew(): void {
  window.location.replace("/");
}

function leave(): void {
  leaveRemoval();
  leaveChat();
}

const SETTLE_MS = 3000;

/** Forget the cookie and everything that was said; the page then asks for a key as if it was opened anew. */
export async function signOut(): Promise<void> {
  const settled = Promise.all([finishRemoval(), settleChat()]);
  await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, SETTLE_MS))]);
  await endSession();
  forgetOld();
  forgetChats();
  tellTabs({ about: "signed-out" });
  startAnew();
}
