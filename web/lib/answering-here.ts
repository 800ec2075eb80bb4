import { streamChat } from "./api";
import { catalogue, refresh } from "./catalogue";
import { change, running, unsaved } from "./chat-state";
import { wireMessages, type AssistantMessage, type Message } from "./conversation";
import { isAbort, recordOf } from "./errors";
import { batched } from "./frames";
import { GrowingAnswer } from "./growing";
import { questionOptions, wireOptions } from "./options";
import { keepTalk } from "./unkept";

/** Answer a question of a conversation that the server cannot keep, through this page, and hand both over once it can. */
export async function answerHere(id: string, asked: Message[], model: string | null): Promise<void> {
  const controller = new AbortController();
  const growing = new GrowingAnswer();
  const abort = () => controller.abort();
  const mine = { stop: abort, away: abort };
  running.now = mine;
  const paint = batched(() => {
    if (running.now !== mine) return;
    change(id, { messages: [...asked, growing.message], phase: growing.started ? "streaming" : "waiting", queue: growing.queue });
  });
  let ended: AssistantMessage;
  try {
    const options = questionOptions();
    const onQueue = (place: number) => {
      growing.queue = place;
      paint.later();
    };
    for await (const piece of streamChat(model, wireMessages(asked, options.system), controller.signal, onQueue, wireOptions(options))) {
      growing.add(piece);
      paint.later();
    }
    ended = growing.end();
  } catch (thrown) {
    ended = growing.end(isAbort(thrown) ? { stopped: true } : { error: recordOf(thrown) });
  }
  paint.cancel();
  if (running.now === mine) running.now = null;
  const messages = [...asked, ended];
  change(id, { messages, phase: "idle", queue: 0 });
  unsaved.set(id, { messages, refusal: unsaved.get(id)?.refusal });
  await keepTalk(id);
  // An error, or a provider that was asleep: what is known about the providers is old.
  const providers = catalogue.get().overview?.providers ?? [];
  if (ended.error || providers.some((provider) => provider.status === "idle")) void refresh();
}
