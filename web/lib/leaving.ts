import { ApiError } from "./errors";
import { readItem, writeItem } from "./storage";

/**
 * What was said last before a reload is still on its way to the server when the page asks for the
 * conversation anew. So the page leaves a note for itself: an id and a number, none of the words.
 */
const NOTE = "venom.leaving";
const TRIES = 10;
const PAUSE_MS = 200;

/** What is to be done while the page is being left, by the scripts that are there. */
export const onLeave = new Set<() => void>();

/** Note that a conversation of so many messages is about to have more. */
export function expectKept(id: string, messages: number): void {
  writeItem("sessionStorage", NOTE, `${id} ${messages}`);
}

/** Read a conversation; where something is on its way to it, wait for that a little. */
export async function expected<T extends { session: { messages: number } }>(id: string, read: () => Promise<T>): Promise<T> {
  const [noted, messages] = (readItem("sessionStorage", NOTE) ?? "").split(" ");
  writeItem("sessionStorage", NOTE, null);
  for (let tries = noted === id ? TRIES : 1; tries > 1; tries -= 1) {
    try {
      const found = await read();
      if (found.session.messages > Number(messages)) return found;
    } catch (thrown) {
      if (!(thrown instanceof ApiError && thrown.status === 404)) throw thrown;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return read();
}
