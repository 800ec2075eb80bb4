import { addressChat } from "./address";
import { answerHere } from "./answering-here";
import { beginAnswer } from "./api/sessions";
import type { Schemas } from "./api/types";
import { imagesOf, withFiles } from "./attachments";
import { change, chat, unsaved, type Asking, type AskingAgain } from "./chat-state";
import { findChat, putChat, refreshChats } from "./chats";
import { questionDetails, type AssistantMessage, type Message, type SaidMessage } from "./conversation";
import { ApiError, recordOf } from "./errors";
import { follow, type Followed } from "./following-answers";
import { GrowingAnswer } from "./growing";
import { idOf } from "./keeping";
import { allowAsking } from "./key";
import { questionOptions, wireOptions } from "./options";
import { tellTabs } from "./tabs";
import { keepTalk, localEntry } from "./unkept";

/** The store takes nothing more: the question is answered all the same, and said to be not kept. */
const isFull = (thrown: unknown): boolean => thrown instanceof ApiError && (thrown.status === 507 || ["sessions_full", "session_full"].includes(thrown.code) || thrown.code.startsWith("store_"));

let answering: Promise<unknown> = Promise.resolve();

/** Resolves once nothing is being asked or followed any more. */
export const settleAnswers = (): Promise<unknown> => answering;

export function noteWork(work: Promise<void>): Promise<void> {
  answering = work;
  return work;
}

/** Who answers: `second` answers the same beside the first. */
interface Who {
  model?: string | null;
  second?: string;
}

export function ask(text: string, { model, results, attachments = [] }: Asking): Promise<void> {
  const { messages } = chat.get();
  const images = imagesOf(attachments);
  const question: SaidMessage = {
    ...questionOf(withFiles(text, attachments)),
    ...(images.length > 0 && { images }),
    ...(results && { results }),
  };
  const { second } = questionOptions();
  return noteWork(answer([...messages, question], { model, second: results || second === model ? undefined : second }));
}

const questionOf = (content: string): SaidMessage => ({ role: "user", content, at: new Date().toISOString() });

/** Ask a question of the branch on the screen once more; its old answer stays beside the new one. */
export async function askOnceMore({ at, model, text, goOn }: AskingAgain): Promise<void> {
  const { messages } = chat.get();
  const question = messages[at];
  if (question?.role !== "user") return;
  const asked = text === undefined ? question : { ...question, ...questionOf(text) };
  const cut = goOn ? messages[at + 1] : undefined;
  await noteWork(answer([...messages.slice(0, at), asked], { model }, cut?.role === "assistant" ? cut : undefined));
}

/** Ask the server; `cut` is the answer that is gone on with, which is kept. */
async function answer(asked: Message[], who: Who, cut?: AssistantMessage): Promise<void> {
  const { id } = chat.get();
  allowAsking();
  change(id, { messages: [...asked, new GrowingAnswer(cut).message], phase: "waiting" });
  addressChat(id, "replace");
  if (!findChat(id)) putChat(localEntry(id, asked));
  // What the question follows comes first; where that is refused again, this is kept as little.
  await keepTalk(id);
  if (unsaved.has(id) && !cut) return answerHere(id, asked, who.model ?? null);
  try {
    const made = await beginAnswer(id, { ...what(asked, cut), ...how(who.model) });
    const followed: Followed[] = [{ id: made.message_id, said: cut }];
    if (who.second) followed.push(await begunBeside(id, made.question_id, who.second));
    tellTabs({ about: "conversations" });
    void refreshChats();
    if (chat.get().id === id) await follow(id, asked, followed);
  } catch (thrown) {
    if (isFull(thrown) && !cut) return answerHere(id, asked, who.model ?? null);
    refuse(id, asked, thrown);
  }
}

/** The same question to a second model; its refusal stands where its answer would. */
async function begunBeside(id: string, question_id: string, model: string): Promise<Followed> {
  try {
    return { id: (await beginAnswer(id, { question_id, ...how(model) })).message_id };
  } catch (thrown) {
    return { id: "", over: refusal(thrown) };
  }
}

type Wire = Partial<Schemas["SessionQuestion"]>;

/** What is asked: something new, results of calls, what is kept already, or the rest of an answer. */
function what(asked: Message[], cut: AssistantMessage | undefined): Wire {
  const [before, question] = [asked.at(-2), asked.at(-1)];
  if (cut) return { continue_message_id: idOf(cut) };
  if (question && idOf(question) !== undefined) return { question_id: idOf(question) };
  const parent_message_id = before ? idOf(before) : "root";
  if (question?.role === "user" && question.results) {
    return { parent_message_id, tool_results: question.results.map(({ id, content }) => ({ id, content })) };
  }
  return { parent_message_id, question: question?.content ?? "", details: question && questionDetails(question) };
}

function how(model: string | null | undefined): Wire {
  const options = questionOptions();
  return { model, system: options.system || null, parameters: wireOptions(options) };
}

const refusal = (thrown: unknown): AssistantMessage => ({ role: "assistant", content: "", at: new Date().toISOString(), error: recordOf(thrown) });

/** The server did not take the question: it stays on the screen with the reason, and can be kept by hand. */
function refuse(id: string, asked: Message[], thrown: unknown): void {
  const messages = [...asked, refusal(thrown)];
  unsaved.set(id, { messages });
  change(id, { messages, phase: "idle", queue: 0 });
  void keepTalk(id);
}
