import { EventSourceParserStream } from "eventsource-parser/stream";
import { request } from "./api/request";
import type { Operation } from "./api/types";
import { ApiError } from "./errors";
import { signedIn } from "./key";
import { takeOperation } from "./operations";
import { outdated, queries } from "./queries";
import { createStore } from "./store";

/** What each topic of the feed makes outdated. */
const ABOUT: Record<string, readonly string[]> = {
  models: ["/api/v1/models", "/api/v1/overview", "/api/v1/system", "/api/v1/engines", "/api/v1/runtime", "/api/v1/translate"],
  providers: ["/api/v1/overview", "/api/v1/plugins", "/api/v1/models/providers", "/api/v1/engines", "/api/v1/system", "/api/v1/runtime", "/api/v1/translate"],
  profile: ["/api/v1/profiles", "/api/v1/overview", "/api/v1/plugins", "/api/v1/system", "/api/v1/runtime", "/api/v1/config", "/api/v1/translate"],
  services: ["/api/v1/system", "/api/v1/runtime", "/api/v1/engines", "/api/v1/overview"],
  benchmarks: ["/api/v1/benchmark"],
  settings: ["/api/v1/config", "/api/v1/overview", "/api/v1/plugins", "/api/v1/system"],
};

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;

/** Whether the server is heard; null before the first try. */
export const connected = createStore<boolean | null>(null);

let last = "";

function take(topic: string | undefined, data: string): void {
  // An operation is told of whole, several times a second.
  if (topic === "operations") return takeOperation(JSON.parse(data) as Operation);
  const routes = topic === undefined ? undefined : ABOUT[topic];
  // `resync`, and a topic of a newer server.
  void (routes ? outdated(...routes) : queries.invalidateQueries());
}

/** Read the feed until it ends; true where the server was heard. */
async function read(signal: AbortSignal): Promise<boolean> {
  const headers: HeadersInit = last === "" ? {} : { "Last-Event-ID": last };
  const response = await request("/api/v1/events", { signal, headers });
  if (!response.body) return false;
  const wasHeard = connected.get();
  connected.set(true);
  // What changed between the page's first answers and now, nobody told; and a server that was
  // started anew counts its events from the beginning.
  if (wasHeard !== true) void queries.invalidateQueries();
  const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  for (const reader = events.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return true;
    if (value.id) last = value.id;
    take(value.event, value.data);
  }
}

async function keepReading(signal: AbortSignal): Promise<void> {
  for (let wait = FIRST_WAIT_MS; !signal.aborted; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    try {
      if (await read(signal)) wait = FIRST_WAIT_MS;
    } catch (thrown) {
      if (signal.aborted) return;
      // Who may not watch asks again when somebody signed in.
      if (thrown instanceof ApiError && thrown.status > 0 && thrown.status < 500) return;
    }
    if (signal.aborted) return;
    if (connected.get() !== false) void outdated("/api/v1/overview");
    connected.set(false);
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

/** Follow the feed while the page is seen; returns what ends it. */
export function followFeed(): () => void {
  let ended = new AbortController();
  const stop = () => ended.abort();
  const begin = () => {
    stop();
    ended = new AbortController();
    if (document.visibilityState === "visible") void keepReading(ended.signal);
  };
  document.addEventListener("visibilitychange", begin);
  // A closed page that waits in the browser's store of pages must hold no connection.
  window.addEventListener("pagehide", stop);
  window.addEventListener("pageshow", begin);
  const heedSignIn = signedIn.subscribe(begin);
  begin();
  return () => {
    stop();
    document.removeEventListener("visibilitychange", begin);
    window.removeEventListener("pagehide", stop);
    window.removeEventListener("pageshow", begin);
    heedSignIn();
  };
}
