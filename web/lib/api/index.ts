import { ApiError, errorFrom, isAbort } from "../errors";
import { language } from "../i18n";
import { readEvents } from "../sse";
import { post } from "./request";
import type { ChatPiece, Schemas, ToolCallPiece, WireMessage } from "./types";

function parseEvent(data: string): Record<string, unknown> {
  try {
    return JSON.parse(data) as Record<string, unknown>;
  } catch {
    throw new ApiError({ code: "client_bad_answer", message: data.slice(0, 200) });
  }
}

/** JSON events up to `[DONE]`; an error event is thrown, and so is an end without `[DONE]`. */
async function* jsonEvents(
  response: Response,
  onComment?: (text: string) => void,
): AsyncGenerator<Record<string, unknown>> {
  if (!response.body) throw new ApiError({ code: "client_bad_answer", message: "no body" });
  const lang = language.get();
  let complete = false;
  try {
    for await (const data of readEvents(response.body, onComment)) {
      // Read to the end all the same: a connection closed early looks like a user who gave up.
      complete ||= data === "[DONE]";
      if (complete) continue;
      const event = parseEvent(data);
      if (event.error) throw errorFrom(event, response.status, lang);
      yield event;
    }
  } catch (thrown) {
    if (thrown instanceof ApiError || isAbort(thrown)) throw thrown;
    if (complete) return;
    throw new ApiError({ code: "client_incomplete", message: String(thrown) });
  }
  if (!complete) {
    throw new ApiError({ code: "client_incomplete", message: "the stream ended without [DONE]" });
  }
}

/** An engine's own frames are passed on, and some call it `reasoning`. */
type Delta = Schemas["ChatDelta"] & { reasoning?: string | null };

function decoded(header: string | null): string | null {
  try {
    return header === null ? null : decodeURIComponent(header);
  } catch {
    return header;
  }
}

/**
 * One chat completion, streamed. The first piece names the model that answers, as resolved.
 * `onQueue` hears how many are served before this one, itself included; 0 when its turn has come.
 */
export async function* streamChat(
  model: string | null,
  messages: WireMessage[],
  signal: AbortSignal,
  onQueue: (place: number) => void = () => undefined,
  parameters: Record<string, unknown> = {},
): AsyncGenerator<ChatPiece> {
  const body = { ...parameters, messages, stream: true, stream_options: { include_usage: true } };
  const headers = { "Venom-Queue": "1" };
  const response = await post("/v1/chat/completions", model ? { model, ...body } : body, { signal, headers });
  yield* answerPieces(response, model, onQueue);
}

/** The pieces of a stream of the shape of `/v1/chat/completions`. */
export async function* answerPieces(response: Response, model: string | null, onQueue: (place: number) => void): AsyncGenerator<ChatPiece> {
  // A name is opaque: what a header cannot hold comes percent-encoded.
  yield { resolved: decoded(response.headers.get("Venom-Model")) ?? model ?? undefined };
  const onComment = (text: string) => {
    const place = /^queue (\d+)$/.exec(text)?.[1];
    if (place) onQueue(Number(place));
  };
  for await (const event of jsonEvents(response, onComment)) {
    const chunk = event as Partial<Schemas["ChatCompletionChunk"]>;
    const choice = chunk.choices?.[0];
    const delta: Delta | undefined = choice?.delta;
    yield {
      content: delta?.content ?? undefined,
      reasoning: delta?.reasoning_content ?? delta?.reasoning ?? undefined,
      toolCalls: (delta?.tool_calls as ToolCallPiece[] | null | undefined) ?? undefined,
      finish: choice?.finish_reason ?? undefined,
      note: choice?.finish_note ?? undefined,
      usage: chunk.usage ?? undefined,
    };
  }
}
