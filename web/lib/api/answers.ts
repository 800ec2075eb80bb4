import { answerPieces } from ".";
import { api } from "./client";
import { request } from "./request";
import type { ChatPiece } from "./types";

/** An answer that is being written, from its beginning on. */
export async function* followAnswer(id: string, answer: string, signal: AbortSignal, onQueue: (place: number) => void): AsyncGenerator<ChatPiece> {
  const path = `/api/v1/sessions/${encodeURIComponent(id)}/answers/${encodeURIComponent(answer)}`;
  yield* answerPieces(await request(path, { signal, headers: { "Venom-Queue": "1" } }), null, onQueue);
}

/** Resolves once what was said is kept. */
export async function haltAnswer(id: string, answer: string): Promise<void> {
  await api.POST("/api/v1/sessions/{session_id}/answers/{message_id}/stop", { params: { path: { session_id: id, message_id: answer } } });
}
