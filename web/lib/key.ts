import type { Schemas } from "./api/types";
import { ApiError, errorFrom } from "./errors";
import { createStore } from "./store";
import { tellTabs } from "./tabs";

/**
 * Signing in: a key is exchanged for a cookie that no script can read. The key itself is kept nowhere.
 */
const SESSION = "/api/v1/session";

let signIns = 0;
let declined = false;
let pending: Promise<boolean> | null = null;
let settle: ((signedIn: boolean) => void) | null = null;

/** What the key dialog shows while it is open: the refusal that asked for it, or that of the key given. */
export const keyPrompt = createStore<{ refusal: ApiError; again: boolean } | null>(null);

/** Who signed in on this page; a new object each time. */
export const signedIn = createStore<{ key: string | null } | null>(null);

/** How often somebody has signed in on this page: whoever was refused before the last time may try again. */
export function signInCount(): number {
  return signIns;
}

/**
 * Ask for a key after a 401; resolves to true when the request is worth sending again.
 * All requests refused at the same time wait for one answer.
 */
export function askForKey(refusal: ApiError, countThen: number): Promise<boolean> {
  if (signIns !== countThen) return Promise.resolve(true);
  if (declined) return Promise.resolve(false);
  pending ??= new Promise<boolean>((resolve) => {
    settle = resolve;
    keyPrompt.set({ refusal, again: false });
  });
  return pending;
}

/** The dialog's answer; null means that the user closed it. A key that is refused leaves it open. */
export async function answerKey(given: string | null, lang = "en"): Promise<void> {
  if (given === null) return closePrompt(false);
  const refusal = await signInWith({ key: given }, lang);
  if (refusal && pending) keyPrompt.set({ refusal, again: true });
}

const LINK = "#sign-in=";

/** Sign in where the address is a sign-in link, which works once; nobody is asked for a key meanwhile. */
export async function followSignInLink(lang: string): Promise<void> {
  const { hash, pathname, search } = window.location;
  if (!hash.startsWith(LINK)) return;
  window.history.replaceState(null, "", pathname + search);
  pending ??= new Promise<boolean>((resolve) => (settle = resolve));
  const refusal = await signInWith({ ticket: hash.slice(LINK.length) }, lang);
  if (refusal) keyPrompt.set({ refusal, again: true });
}

/** Sign this browser in; the refusal where the server gives one. Whatever waits for a key goes on. */
export async function signInWith(given: Schemas["SignIn"], lang: string): Promise<ApiError | null> {
  const answer = await exchange(given, lang);
  if (answer instanceof ApiError) return answer;
  signIns += 1;
  signedIn.set({ key: answer.key_id });
  tellTabs({ about: "signed-in", key: answer.key_id });
  closePrompt(true);
  return null;
}

function closePrompt(done: boolean): void {
  declined = !done;
  keyPrompt.set(null);
  settle?.(done);
  pending = null;
  settle = null;
}

/** The server's refusal, or who is signed in, now that the cookie is set. */
async function exchange(given: Schemas["SignIn"], lang: string): Promise<ApiError | { key_id: string | null }> {
  const headers = { "Content-Type": "application/json", "Accept-Language": lang };
  try {
    const response = await fetch(SESSION, { method: "POST", body: JSON.stringify(given), headers, cache: "no-store", credentials: "same-origin" });
    if (response.ok) return { key_id: ((await response.json()) as Schemas["SignInState"]).key_id };
    return errorFrom(await response.json().catch(() => null), response.status, response.headers.get("Content-Language") ?? "en");
  } catch (thrown) {
    return new ApiError({ code: "client_unreachable", message: String(thrown) });
  }
}

/** Forget the cookie. */
export async function endSession(): Promise<void> {
  await fetch(SESSION, { method: "DELETE", cache: "no-store", credentials: "same-origin" }).catch(() => null);
}

/** Something the user did themselves may ask again after they closed the dialog. */
export function allowAsking(): void {
  declined = false;
}
