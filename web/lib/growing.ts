import type { ChatPiece } from "./api/types";
import type { AssistantMessage } from "./conversation";
import { grownCalls } from "./tool-calls";

/** Grows one answer from its pieces and notes the times; knows nothing of the screen. */
export class GrowingAnswer {
  message: AssistantMessage;
  queue = 0;
  /** What is shown of it was said before: its first piece says that again, and its times are the server's. */
  private said: boolean;
  private readonly timed: boolean;
  private readonly sentAt = performance.now();
  private firstAt = 0;
  private lastAt = 0;
  private thoughtAt = 0;

  constructor(said?: AssistantMessage) {
    this.said = said !== undefined;
    this.timed = !this.said;
    this.message = { role: "assistant", content: said?.content ?? "", ...(said?.reasoning && { reasoning: said.reasoning }) };
  }

  get started(): boolean {
    return this.firstAt > 0;
  }

  add(piece: ChatPiece): void {
    const spoken = Boolean(piece.content || piece.reasoning || piece.toolCalls);
    if (spoken) {
      this.lastAt = performance.now();
      this.firstAt ||= this.lastAt;
    }
    const old = spoken && this.said ? { ...this.message, content: "", reasoning: undefined } : this.message;
    if (spoken) this.said = false;
    if (piece.reasoning) this.thoughtAt ||= this.lastAt;
    const thought = this.timed && this.thoughtAt > 0 && old.content === "" && !old.toolCalls;
    this.message = {
      ...old,
      content: old.content + (piece.content ?? ""),
      ...(piece.reasoning && { reasoning: (old.reasoning ?? "") + piece.reasoning }),
      ...(thought && { reasoningMs: Math.round(this.lastAt - this.thoughtAt) }),
      ...(piece.toolCalls && { toolCalls: grownCalls(old.toolCalls, piece.toolCalls) }),
      ...(piece.resolved && { model: piece.resolved }),
      ...(piece.finish && { finish: piece.finish }),
      ...(piece.note && { note: piece.note }),
      ...(piece.usage && { stats: { usage: piece.usage } }),
    };
  }

  end(change: Partial<AssistantMessage> = {}): AssistantMessage {
    const stats = { ...this.message.stats };
    if (this.timed && this.firstAt) {
      stats.ttftMs = Math.round(this.firstAt - this.sentAt);
      // The first token's time is the prompt's: the rate counts the tokens after it.
      const seconds = (this.lastAt - this.firstAt) / 1000;
      const rest = (stats.usage?.completion_tokens ?? 0) - 1;
      if (rest > 0 && seconds > 0) stats.tokensPerSecond = rest / seconds;
    }
    return { ...this.message, ...change, stats, at: new Date().toISOString() };
  }
}
