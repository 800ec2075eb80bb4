import { addressChat } from "./address";
import { answerHere } from "./answering-here";
import { beginAnswer, followAnswer, haltAnswer } from "./api/answers";
import { readSession } from "./api/sessions";
import type { Schemas } from "./api/types";
import { imagesOf, withFiles } from "./attachments";
import { refresh } from "./catalogue";
import { change, chat, running, unsaved, type Asking, type AskingAgain } from "./chat-state";
import { entryOf, findChat, putChat, refreshChats } from "./chats";
import { questionDetails, type AssistantMessage, type Message, type SaidMessage } from "./conversation";
import { ApiError, isAbort, recordOf } from "./errors";
import { batched } from "./frames";
import { GrowingAnswer } from "./growing";
import { idOf, keptPath } from "./keeping";
import { allowAsking } from "./key";
import { questionOptions, wireOptions } from "./options";
import { tellTabs } from "./tabs";
import { keepTalk, localEntry } from "./unkept";

/** The store takes nothing more: the question is answered all the same, and said to be not kept. */
const isFull = (thrown: unknown): boolean => thrown instanceof ApiError && (thrown.status === 507 || ["sessions_full", "session_full"].includes(thrown.code) || thrown.code.startsWith("store_"));

let answering: Promise<unknown> = Promise.resolve();

/** Resolves once nothing is being asked or followed any more. */
export const settleAnswers = (): Promise<unknown> => answering;

export function ask(text: string, { parent, model, results, attachments = [] }: Asking): Promise<void> {
  const { messages } = chat.get();
  const before = parent === undefined ? messages : upTo(messages, parent);
  const images = imagesOf(attachments);
  const question: SaidMessage = {
    ...questionOf(withFiles(text, attachments)),
    ...(images.length > 0 && { images }),
    ...(results && { results }),
  };
  return noted(answer([...before, question], model ?? null));
}

const upTo = (messages: Message[], id: string): Message[] => messages.slice(0, messages.findIndex((message) => idOf(message) === id) + 1);
const questionOf = (content: string): SaidMessage => ({ role: "user", content, at: new Date().toISOString() });

function noted(work: Promise<void>): Promise<void> {
  answering = work;
  return work;
}

/** Ask a question of the branch on the screen once more; its old answer stays beside the new one. */
export async function askOnceMore({ at, model, text, begun }: AskingAgain): Promise<void> {
  const { messages } = chat.get();
  const question = messages[at];
  if (question?.role !== "user") return;
  await noted(answer([...messages.slice(0, at), { ...question, ...questionOf(text ?? question.content) }], model ?? null, begun));
}

/** The server knows of no results of calls and of no beginning of an answer: those the page tells it itself. */
const isForHere = (asked: Message[], begun: string): boolean => begun !== "" || asked.some((one) => one.role === "user" && one.results !== undefined);

async function answer(asked: Message[], model: string | null, begun = ""): Promise<void> {
  const { id } = chat.get();
  allowAsking();
  change(id, { messages: [...asked, new GrowingAnswer().message], phase: "waiting" });
  addressChat(id, "replace");
  if (!findChat(id)) putChat(localEntry(id, asked));
  // What the question follows comes first; where that is refused again, this is kept as little.
  await keepTalk(id);
  if (unsaved.has(id) || isForHere(asked, begun)) return answerHere(id, asked, model, begun);
  try {
    const made = await beginAnswer(id, wireQuestion(asked, model));
    tellTabs({ about: "conversations" });
    void refreshChats();
    if (chat.get().id === id) await follow(id, asked, made.message_id);
  } catch (thrown) {
    if (isFull(thrown)) return answerHere(id, asked, model);
    refuse(id, asked, thrown);
  }
}

function wireQuestion(asked: Message[], model: string | null): Omit<Schemas["SessionQuestion"], "follow"> {
  const options = questionOptions();
  const [before, question] = [asked.at(-2), asked.at(-1)];
  return {
    question: question?.content ?? "",
    model,
    parent_message_id: before ? (idOf(before) ?? null) : "root",
    system: options.system || null,
    details: question ? questionDetails(question) : null,
    parameters: wireOptions(options),
  };
}

/** The server did not take the question: it stays on the screen with the reason, and can be kept by hand. */
function refuse(id: string, asked: Message[], thrown: unknown): void {
  const ended: AssistantMessage = { role: "assistant", content: "", at: new Date().toISOString(), error: recordOf(thrown) };
  const messages = [...asked, ended];
  unsaved.set(id, { messages });
  change(id, { messages, phase: "idle", queue: 0 });
  void keepTalk(id);
}

/** Show an answer that the server is making as it grows; `asked` is what is on the screen before it. */
export async function follow(id: string, asked: Message[], answer: string): Promise<void> {
  const controller = new AbortController();
  const growing = new GrowingAnswer();
  const mine = { stop: () => void stopIt(), leave: () => undefined, away: () => controller.abort() };
  let ended: AssistantMessage | null = null;
  const stopIt = async () => {
    // It may have ended meanwhile: then what it became is shown all the same.
    await haltAnswer(id, answer).catch((thrown: unknown) => {
      if (!(thrown instanceof ApiError && thrown.status === 404)) controller.abort();
    });
  };
  running.now = mine;
  change(id, { messages: [...asked, growing.message], phase: "waiting", queue: 0 });
  const paint = batched(() => {
    if (running.now !== mine) return;
    change(id, { messages: [...asked, growing.message], phase: growing.started ? "streaming" : "waiting", queue: growing.queue });
  });
  try {
    const onQueue = (place: number) => {
      growing.queue = place;
      paint.later();
    };
    for await (const piece of followAnswer(id, answer, controller.signal, onQueue)) {
      growing.add(piece);
      paint.later();
    }
    ended = growing.end();
  } catch (thrown) {
    if (isAbort(thrown)) ended = null;
    else ended = growing.end(recordOf(thrown).code === "answer_stopped" ? { stopped: true } : { error: recordOf(thrown) });
  }
  paint.cancel();
  if (running.now !== mine) return;
  running.now = null;
  if (ended === null) return change(id, { phase: "idle", queue: 0 });
  await showEnd(id, answer, [...asked, ended]);
}

/** Show an answer as it is kept; where that cannot be read, as it was heard. */
async function showEnd(id: string, answer: string, heard: Message[]): Promise<void> {
  const ended = heard.at(-1) as AssistantMessage;
  change(id, { messages: heard });
  try {
    const { session, messages, answering: goingOn } = await readSession(id);
    // Only the connection broke: the answer goes on, and so does this page.
    if (goingOn.some((one) => one.message_id === answer) && chat.get().id === id && !running.now) {
      return follow(id, heard.slice(0, -1), answer);
    }
    putChat(entryOf(session));
    change(id, { messages: keptPath(messages, answer), tree: messages, seen: entryOf(session), phase: "idle", queue: 0, unkept: undefined });
    tellTabs({ about: "conversations" });
  } catch {
    change(id, { phase: "idle", queue: 0 });
  }
  if (ended.error) void refresh();
}
