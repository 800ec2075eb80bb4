import { forgetChats, settleChat } from "./chat";
import { endSession } from "./key";
import { removal } from "./removed";
import { tellTabs } from "./tabs";
import { forgetOld } from "./takeover";
import { startAnew } from "./visit";

const SETTLE_MS = 3000;

async function finishRemoval(): Promise<void> {
  if (removal.get()) await (await import("./removal")).finishRemoval();
}

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
