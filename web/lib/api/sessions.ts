import { getJson, postJson, request } from "./request";
import type { Schemas, SessionImport, SessionRecord } from "./types";

const SESSIONS = "/api/v1/sessions";
const pathOf = (id: string) => `${SESSIONS}/${encodeURIComponent(id)}`;

/** As many as one request may ask for. */
export const MOST_SESSIONS = 200;
/** What a browser sends at most while its page is being left. */
const MOST_ON_LEAVING = 60_000;

/** Pinned ones first, then newest first. */
export const listSessions = (limit: number, offset: number, query?: string): Promise<SessionRecord[]> =>
  getJson(SESSIONS, `${SESSIONS}?limit=${limit}&offset=${offset}${query ? `&query=${encodeURIComponent(query)}` : ""}`).then((answer) => answer.sessions);

export const readSession = (id: string): Promise<Schemas["WholeSession"]> => getJson(`${SESSIONS}/{session_id}`, pathOf(id));

export async function renameSession(id: string, title: string): Promise<SessionRecord> {
  const change: Schemas["SessionChange"] = { title };
  return (await postJson<Schemas["OneSession"]>(`${pathOf(id)}/change`, change)).session;
}

/** Send what gets through where the page is left meanwhile. */
function postLasting<T>(path: string, body: unknown): Promise<T> {
  // Beyond that a browser refuses the request as a whole; without the flag it may still get through.
  const keepalive = new TextEncoder().encode(JSON.stringify(body)).length < MOST_ON_LEAVING;
  return postJson(path, body, { keepalive });
}

/** Store a question and its answer. */
export const keepExchange = (id: string, exchange: Schemas["SpokenExchange"]): Promise<Schemas["KeptMessages"]> => postLasting(`${pathOf(id)}/messages`, exchange);

/** Ask; the answer is made by the server, whoever listens. */
export const beginAnswer = (id: string, question: Partial<Schemas["SessionQuestion"]>): Promise<Schemas["AnswerBegun"]> =>
  postLasting(`${pathOf(id)}/answers`, { ...question, follow: false });

/** Where a browser fetches a conversation as a file. */
export const exportHref = (id: string, format: "markdown" | "json"): string => `${pathOf(id)}/export?format=${format}`;

/** Under an id of ours a second try is refused with `session_exists`. */
export async function importSession(session: SessionImport): Promise<SessionRecord> {
  return (await postJson<Schemas["OneSession"]>(`${SESSIONS}/import`, session)).session;
}

export async function deleteSession(id: string): Promise<void> {
  await request(pathOf(id), { method: "DELETE", keepalive: true });
}

/** The key that this browser is signed in with; null where none is needed, or nobody is. */
export const signedInKey = (): Promise<string | null> =>
  getJson("/api/v1/session").then((answer) => answer.key_id);
