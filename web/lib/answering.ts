import { addressChat } from "./address";
import { streamChat } from "./api";
import { catalogue, refresh } from "./catalogue";
import { change, chat, running, unsaved, type Asking, type AskingAgain } from "./chat-state";
import { findChat, putChat } from "./chats";
import { wireMessages, type AssistantMessage, type Message, type SaidMessage } from "./conversation";
import { isAbort, recordOf } from "./errors";
import { batched } from "./frames";
import { GrowingAnswer } from "./growing";
import { idOf, keepOnLeaving } from "./keeping";
import { allowAsking } from "./key";
import { watchUnload } from "./leaving";
import { questionOptions } from "./options";
import { keepTalk, localEntry, settleKeeping } from "./unkept";

let answering: Promise<void> = Promise.resolve();
let ending: Promise<void> = Promise.resolve();

export function ask(text: string, { parent, model, results }: Asking): Promise<void> {
  const { messages } = chat.get();
  const question = results ? { ...questionOf(text), results } : questionOf(text);
  answering = answer([...before(messages, parent), question], model ?? null);
  return answering;
}

/** The messages up to the one that a question follows. */
function before(messages: Message[], parent: string | undefined): Message[] {
  if (parent === undefined) return messages;
  return messages.slice(0, messages.findIndex((message) => idOf(message) === parent) + 1);
}

export async function askOnceMore({ at, model, text, begun }: AskingAgain): Promise<void> {
  const { messages } = chat.get();
  const question = messages[at];
  if (question?.role === "user") answering = answer([...messages.slice(0, at), { ...question, ...questionOf(text ?? question.content) }], model ?? null, begun);
  await answering;
}

/** Stop the answer; resolves once what came of it is kept, or is refused. */
export async function settleTalk(): Promise<void> {
  running.now?.stop();
  await answering;
  await settleKeeping();
}

const questionOf = (content: string): SaidMessage => ({ role: "user", content, at: new Date().toISOString() });

/** `begun` is the beginning of the answer, from which an engine that can goes on. */
async function answer(asked: Message[], model: string | null, begun = ""): Promise<void> {
  const { id, seen, unkept, tree } = chat.get();
  const controller = new AbortController();
  const growing = new GrowingAnswer(begun);
  const unload = watchUnload();
  let left = false;
  const leave = () => {
    left = true;
    keepOnLeaving(id, [...asked, growing.end({ stopped: true })]);
  };
  const mine = { stop: () => controller.abort(), leave };
  running.now = mine;
  allowAsking();
  chat.set({ id, seen, unkept, tree, messages: [...asked, growing.message], phase: "waiting" });
  addressChat(id, "replace");
  if (!findChat(id)) putChat(localEntry(id, asked));

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
    const { parameters, response_format, tools } = questionOptions();
    const more = { ...parameters, ...(response_format && { response_format }), ...(tools && { tools }) };
    const told = begun === "" ? wireMessages(asked) : [...wireMessages(asked), { role: "assistant" as const, content: begun }];
    for await (const piece of streamChat(model, told, controller.signal, onQueue, more)) {
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
