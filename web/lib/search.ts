import { listSessions } from "./api/sessions";
import { entryOf } from "./chats";
import { recordOf } from "./errors";
import { nothingSearched, search } from "./searched";

/** Whoever types is not asked about at every letter. */
const PAUSE_MS = 200;
const MOST_FOUND = 50;

let timer: ReturnType<typeof setTimeout> | undefined;
let asked = 0;

/** Look for conversations by their titles and by what was said in them; an empty text ends it. */
export function searchFor(text: string): void {
  const query = text.trim();
  clearTimeout(timer);
  asked += 1;
  if (query === "") return search.set(nothingSearched);
  search.set((old) => ({ ...old, query }));
  timer = setTimeout(() => void ask(query), PAUSE_MS);
}

/** The same once more: after a refusal, or since something changed. */
export function searchAgain(): Promise<void> {
  return ask(search.get().query);
}

async function ask(query: string): Promise<void> {
  if (query === "") return;
  const turn = ++asked;
  try {
    // One more than is shown tells whether there are more.
    const sessions = await listSessions(MOST_FOUND + 1, 0, query);
    if (turn !== asked) return;
    const found = sessions.slice(0, MOST_FOUND).map(entryOf);
    search.set({ query, found, more: sessions.length > MOST_FOUND, error: null });
  } catch (thrown) {
    if (turn === asked) search.set((old) => ({ ...old, error: recordOf(thrown) }));
  }
}
