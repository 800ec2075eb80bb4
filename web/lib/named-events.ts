import { EventSourceParserStream } from "eventsource-parser/stream";
import { ApiError } from "./errors";

/** The events of an answer under /api/v1, each with its name and its JSON. Who leaves the loop early ends the answer. */
export async function* namedEvents(response: Response): AsyncGenerator<[string | undefined, unknown]> {
  if (!response.body) throw new ApiError({ code: "client_bad_answer", message: "no body" });
  const reader = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield [value.event, JSON.parse(value.data)];
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
