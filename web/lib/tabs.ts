/**
 * What the tabs of this browser tell one another. The server's feed, which everybody may watch, has
 * nothing of conversations; other browsers are heard of when this page is looked at again.
 */
export type News = { about: "conversations" } | { about: "signed-in"; key: string | null } | { about: "signed-out" };

const channel = typeof window === "undefined" || !("BroadcastChannel" in window) ? null : new BroadcastChannel("venom");

export function tellTabs(news: News): void {
  channel?.postMessage(news);
}

/** Returns what ends the listening. */
export function hearTabs(listener: (news: News) => void): () => void {
  const onMessage = ({ data }: MessageEvent<News>) => listener(data);
  channel?.addEventListener("message", onMessage);
  return () => channel?.removeEventListener("message", onMessage);
}
