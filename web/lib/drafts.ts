import { chat } from "./chat";
import { DRAFT_ITEM as ITEM, keptName } from "./options";
import { readItem, writeItem } from "./storage";
import { typed } from "./typed";

const LONGEST = 200_000;
const PAUSE_MS = 300;

function keep(name: string, text: string): void {
  writeItem("localStorage", ITEM + name, text.trim() === "" ? null : text.slice(0, LONGEST));
}

/** Keep what is written in this browser, by conversation, and show it again; returns what ends that. */
export function followDrafts(): () => void {
  let id = chat.get().id;
  let name = keptName();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    clearTimeout(timer);
    keep(name, typed.get());
  };
  const look = () => {
    const now = { id: chat.get().id, name: keptName() };
    if (now.id === id && now.name === name) return;
    flush();
    if (now.id === id) {
      // The same conversation has a name now: what is written goes with it.
      keep(name, "");
      name = now.name;
      return flush();
    }
    ({ id, name } = now);
    typed.set(readItem("localStorage", ITEM + name) ?? "");
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(flush, PAUSE_MS);
  };
  if (typed.get() === "") typed.set(readItem("localStorage", ITEM + name) ?? "");
  const stops = [chat.subscribe(look), typed.subscribe(later)];
  window.addEventListener("pagehide", flush);
  return () => {
    flush();
    window.removeEventListener("pagehide", flush);
    for (const stop of stops) stop();
  };
}
