import { streamChat } from "./api";
import { catalogue, refresh } from "./catalogue";
import { change, chat, running, unsaved } from "./chat-state";
import { wireMessages, type AssistantMessage, type Message } from "./conversation";
import { isAbort, recordOf } from "./errors";
import { batched } from "./frames";
import { GrowingAnswer } from "./growing";
import { keepOnLeaving } from "./keeping";
import { watchUnload } from "./leaving";
import { questionOptions, wireOptions } from "./options";
import { keepTalk } from "./unkept";

let ending: Promise<void> = Promise.resolve();

/**
 * Answer a question through this page, and keep both afterwards: what the store cannot keep while it is
 * made, what follows the results of calls, and what goes on from a beginning. `begun` is the beginning of the answer, from which an
 * engine that can goes on.
 */
export async function answerHere(id: string, asked: Message[], model: string | null, begun = ""): Promise<void> {
  const { seen, unkept, tree } = chat.get();
  const controller = new AbortController();
  const growing = new GrowingAnswer(begun);
  const unload = watchUnload();
  let left = false;
  const leave = () => {
    left = true;
    keepOnLeaving(id, [...asked, growing.end({ stopped: true })]);
  };
  const mine = { stop: () => controller.abort(), leave, away: () => controller.abort() };
  running.now = mine;
  chat.set({ id, seen, unkept, tree, messages: [...asked, growing.message], phase: "waiting" });

  const paint = batched(() => {
    if (running.now !== mine) return;
    const phase = growing.started ? "streaming" : "waiting";
    change(id, { messages: [...asked, growing.message], phase, queue: growing.queue });
  });
  const onQueue = (place: number) => {
    growing.queue = place;
    paint.later();
  };
  let ended: AssistantMessage;
  try {
    const options = questionOptions();
    const told = wireMessages(asked, options.system);
    const said = begun === "" ? told : [...told, { role: "assistant" as const, content: begun }];
    for await (const piece of streamChat(model, said, controller.signal, onQueue, wireOptions(options))) {
      growing.add(piece);
      paint.later();
    }
    ended = growing.end();
  } catch (thrown) {
    const stopped = controller.signal.aborted || isAbort(thrown) || unload.begun;
    ended = growing.end(stopped ? { stopped: true } : { error: recordOf(thrown) });
  }
  unload.end();
  paint.cancel();
  if (running.now === mine) running.now = null;
  change(id, { messages: [...asked, ended], phase: "idle", queue: 0 });
  if (left) return;
  // One after the other: what is not kept yet may be another branch, and must not give way to this one.
  ending = ending.then(() => {
    unsaved.set(id, { messages: [...asked, ended], refusal: unsaved.get(id)?.refusal });
    return keepTalk(id);
  });
  await ending;
  // An error, or a provider that was asleep: what is known about the providers is old.
  const providers = catalogue.get().overview?.providers ?? [];
  if (ended.error || providers.some((provider) => provider.status === "idle")) void refresh();
}
