import { followAnswer, haltAnswer } from "./api/answers";
import { readSession } from "./api/sessions";
import { refresh } from "./catalogue";
import { change, chat, running, unsaved } from "./chat-state";
import { entryOf, putChat } from "./chats";
import { messageOf, type AssistantMessage, type Message } from "./conversation";
import { ApiError, isAbort, recordOf } from "./errors";
import { batched } from "./frames";
import { GrowingAnswer } from "./growing";
import { keptPath } from "./keeping";
import { tellTabs } from "./tabs";

/** An answer that the server is making. */
export interface Followed {
  /** The server's; empty where it was refused. */
  id: string;
  /** What is known of it: its beginning, or what was kept a moment ago. */
  said?: AssistantMessage;
  /** It has ended already, with this. */
  over?: AssistantMessage;
}

/** One of the answers that are followed, as it is heard. */
class Heard {
  private readonly growing: GrowingAnswer;
  private ended: AssistantMessage | undefined;

  constructor(readonly followed: Followed) {
    this.growing = new GrowingAnswer(followed.said);
    this.ended = followed.over;
  }

  get message(): AssistantMessage {
    return this.ended ?? this.growing.message;
  }

  get started(): boolean {
    return this.ended !== undefined || this.growing.started;
  }

  get queue(): number {
    return this.ended ? 0 : this.growing.queue;
  }

  /** Hear it to its end. Throws where that is heard no more. */
  async hear(chatId: string, signal: AbortSignal, paint: () => void): Promise<void> {
    if (this.ended) return;
    const onQueue = (place: number) => {
      this.growing.queue = place;
      paint();
    };
    try {
      for await (const piece of followAnswer(chatId, this.followed.id, signal, onQueue)) {
        this.growing.add(piece);
        paint();
      }
      this.ended = this.growing.end();
    } catch (thrown) {
      if (isAbort(thrown)) throw thrown;
      const error = recordOf(thrown);
      this.ended = this.growing.end(error.code === "answer_stopped" ? { stopped: true } : { error });
    }
    paint();
  }

  /** It may have ended meanwhile: then what it became is shown all the same. */
  async stop(chatId: string): Promise<void> {
    if (this.ended) return;
    await haltAnswer(chatId, this.followed.id).catch((thrown: unknown) => {
      if (!(thrown instanceof ApiError && thrown.status === 404)) throw thrown;
    });
  }
}

/**
 * Show answers that the server is making as they grow; `asked` is what is on the screen before them.
 * The first is the branch that is shown, a second one stands beside it.
 */
export async function follow(id: string, asked: Message[], followed: Followed[]): Promise<void> {
  const controller = new AbortController();
  const heard = followed.map((one) => new Heard(one));
  const [first, second] = heard;
  if (!first) return;
  const leave = () => controller.abort();
  const mine = { stop: () => void Promise.all(heard.map((one) => one.stop(id))).catch(leave), away: leave };
  running.now = mine;
  const show = (phase: "waiting" | "streaming") =>
    change(id, {
      messages: [...asked, first.message],
      ...(second && { beside: { at: asked.length, other: second.followed.id, growing: second.message, queue: second.queue } }),
      phase,
      queue: first.queue,
    });
  show("waiting");
  const paint = batched(() => running.now === mine && show(heard.some((one) => one.started) ? "streaming" : "waiting"));
  const whole = await Promise.all(heard.map((one) => one.hear(id, controller.signal, paint.later))).then(() => true, () => false);
  leave();
  paint.cancel();
  if (running.now !== mine) return;
  running.now = null;
  if (!whole) return change(id, { phase: "idle", queue: 0 });
  show("streaming");
  await showEnd(id, asked, heard);
}

/** Show answers as they are kept; where that cannot be read, as they were heard. */
async function showEnd(id: string, asked: Message[], heard: Heard[]): Promise<void> {
  try {
    const { session, messages, answering } = await readSession(id);
    const goesOn = (answer: string) => answering.some((one) => one.message_id === answer);
    // Only the connection broke: the answer goes on, and so does this page.
    if (heard.some((one) => goesOn(one.followed.id)) && chat.get().id === id && !running.now) {
      const again = heard.map(({ followed, message }) => (goesOn(followed.id) ? { id: followed.id, said: message } : { id: followed.id, over: message }));
      return await follow(id, asked, again);
    }
    putChat(entryOf(session));
    const [first, second] = heard;
    const beside = second && { at: asked.length, other: second.followed.id, ...(second.followed.id === "" && { growing: second.message }) };
    const kept = { messages: keptPath(messages, first?.followed.id), tree: messages, seen: entryOf(session), ...(beside && { beside }) };
    change(id, { ...kept, phase: "idle", queue: 0, ...(!unsaved.has(id) && { unkept: undefined }) });
    tellTabs({ about: "conversations" });
  } catch {
    change(id, { phase: "idle", queue: 0 });
  }
  if (heard.some((one) => one.message.error)) void refresh();
}

type Found = Awaited<ReturnType<typeof readSession>>;

/** The answers that are being written and belong on the screen: the latest, and one to the same question before it. */
export function goingOn({ messages, answering }: Found): Followed[] {
  const latest = answering.at(-1);
  const both = answering.filter((one) => one.question_id === latest?.question_id).slice(-2);
  return both.map(({ message_id }) => ({ id: message_id, said: saidBy(messages.find((one) => one.id === message_id)) }));
}

function saidBy(record: Found["messages"][number] | undefined): AssistantMessage | undefined {
  const message = record && messageOf(record);
  return message?.role === "assistant" ? message : undefined;
}
