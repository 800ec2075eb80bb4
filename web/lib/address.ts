/** The address of a conversation, `/c/ID`: it holds the id and no word that was said. */
const PATH = /^\/c\/([A-Za-z0-9_-]{1,64})\/?$/;
const ID = /^[A-Za-z0-9_-]{1,64}$/;

export const chatHref = (id: string | null): string => (id === null ? "/" : `/c/${id}`);

/** Whether a path is the chat's: with a conversation or without one. */
export const isChatPath = (path: string | null): boolean => path === "/" || (path !== null && path.startsWith("/c/"));

/** The conversation that the address names; null on another page, and for what is no id. */
export function addressedChat(): string | null {
  if (typeof window === "undefined") return null;
  const { pathname, search } = window.location;
  const named = PATH.exec(pathname)?.[1];
  if (named !== undefined || pathname !== "/") return named ?? null;
  // As earlier versions of this page had it.
  const id = new URLSearchParams(search).get("c");
  return id !== null && ID.test(id) ? id : null;
}

/** Show in the address which conversation is open; another page keeps its own. */
export function addressChat(id: string | null, how: "push" | "replace"): void {
  if (typeof window === "undefined" || !isChatPath(window.location.pathname)) return;
  if (window.location.pathname + window.location.search === chatHref(id)) return;
  if (how === "push") window.history.pushState(null, "", chatHref(id));
  else window.history.replaceState(null, "", chatHref(id));
}

/** An id that no other browser makes; `crypto.randomUUID` is there on loopback and https only. */
export function newChatId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
