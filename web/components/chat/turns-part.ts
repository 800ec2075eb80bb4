import { lazyPart } from "@/lib/lazy";

/** How a conversation looks comes after the first paint, and the reader of Markdown with it. */
export const turnsPart = lazyPart(() => import("./turns"));

export async function loadTurns(): Promise<void> {
  await Promise.all([turnsPart.load(), import("./answer").then((part) => part.markdownPart.load(), () => undefined)]);
}
