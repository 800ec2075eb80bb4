import { createStore } from "@/lib/store";

/** What of the palette lies over the page. */
export const over = createStore<"palette" | "help" | null>(null);

export const writeMessage = (): void => document.getElementById("message")?.focus();
