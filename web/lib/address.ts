/** The address of a conversation, `/?c=ID`: it holds the id and no word that was said. */
const ID = /^[A-Za-z0-9_-]{1,64}$/;

export const chatHref = (id: string | null): string => (id === null ? "/" : `/?c=${id}`);

/** The conversation that the address names; null on another page, and for what is no id. */
export function addressedChat(): string | null {
  if (typeof window === "undefined" || window.location.pathname !== "/") return null;
  const id = new URLSearchParams(window.location.search).get("c");
  return id !== null && ID.test(id) ? id : null;
}

/** Show in the address which conversation is open; another page keeps its own. */
export function addressChat(id: string | null, how: "push" | "replace"): void {
  if (typeof window === "undefined" || window.location.pathname !== "/" || addressedChat() === id) return;
  if (how === "push") window.history.pushState(null, "", chatHref(id));
  else window.history.replaceState(null, "", chatHref(id));
}

/** An id that no other browser makes; `crypto.randomUUID` is there on loopback and https only. */
export function newChatId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
