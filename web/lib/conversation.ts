import { imagesIn, wireContent, type ImageAttachment } from "./attachments";
import type { MessageRecord, SessionImport, TokenUsage, WireMessage } from "./api/types";
import type { ErrorRecord } from "./errors";
import { callsOf, resultsOf, type ToolCall, type ToolResult } from "./tool-calls";

/** What is measured of an answer. */
export interface AnswerStats {
  ttftMs?: number;
  tokensPerSecond?: number;
  usage?: TokenUsage;
}

export interface SaidMessage {
  role: "user" | "system";
  content: string;
  /** It says what came of the calls of the answer before it. */
  results?: ToolResult[];
  /** Pictures that a question came with. */
  images?: ImageAttachment[];
  /** When, ISO 8601. */
  at?: string;
}

export interface AssistantMessage {
  role: "assistant";
  content: string;
  at?: string;
  reasoning?: string;
  reasoningMs?: number;
  toolCalls?: ToolCall[];
  /** The resolved reference, `provider://ref`. */
  model?: string;
  stats?: AnswerStats;
  finish?: string;
  /** A sentence where the reason alone does not say why it ended. */
  note?: string;
  stopped?: boolean;
  error?: ErrorRecord;
  /** Details that this page does not show. */
  more?: Record<string, unknown>;
}

export type Message = SaidMessage | AssistantMessage;

const MAX_TITLE = 60;
/** Characters of details that the server takes, as JSON in ASCII, and some to spare. */
const MAX_DETAILS = 190_000;

export function titleOf(text: string): string {
  const line = text.trim().split("\n")[0]?.trimEnd() ?? "";
  return line.length > MAX_TITLE ? `${line.slice(0, MAX_TITLE - 1).trimEnd()}…` : line;
}

/**
 * What the model is told: a turn that failed without a word is left out, with its question. Calls of
 * tools are told where their results follow, else no engine would go on from them. `system` takes the
 * place of instructions that the conversation has.
 */
export function wireMessages(messages: Message[], system?: string): WireMessage[] {
  const sent: WireMessage[] = system ? [{ role: "system", content: system }] : [];
  messages.forEach((message, at) => {
    const { role, content } = message;
    if (message.role !== "assistant") {
      if (message.results?.length) sent.push(...message.results.map((one) => ({ role: "tool" as const, content: one.content, tool_call_id: one.id })));
      else if (role !== "system" || !system) sent.push({ role, content: wireContent(content, message.images) });
      return;
    }
    const next = messages[at + 1];
    const answered = next?.role === "user" && next.results?.length ? message.toolCalls : undefined;
    if (answered?.length) {
      const calls = answered.map(({ id, name, arguments: written }) => ({ id, type: "function" as const, function: { name, arguments: written } }));
      sent.push({ role, content, tool_calls: calls });
    } else if (content === "" && sent.at(-1)?.role === "user") sent.pop();
    else sent.push({ role, content });
  });
  return sent;
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
const figure = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;

function errorOf(value: unknown): ErrorRecord | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { code, message, fix, docs, param, lang } = value as Record<string, unknown>;
  if (typeof code !== "string" || typeof message !== "string") return undefined;
  return { code, message, fix: text(fix) ?? null, docs: text(docs) ?? null, lang: text(lang), ...(text(param) && { param: text(param) }) };
}

function usageOf(value: unknown): TokenUsage | undefined {
  const counted = typeof value === "object" && value !== null && "completion_tokens" in value;
  return counted && figure(value.completion_tokens) !== undefined ? (value as TokenUsage) : undefined;
}

/** What is kept beside the text of a question. */
export function questionDetails(message: Message): Record<string, unknown> | null {
  if (message.role !== "user" || (!message.images && !message.results)) return null;
  const { images, results } = message;
  return { ...(images && { images: images.map(({ name, data }) => ({ name, data })) }), ...(results && { tool_results: results }) };
}

/** A message as the server keeps it; whoever wrote the details, only what fits is taken. */
export function messageOf(record: MessageRecord): Message {
  const { role, content, created_at: at } = record;
  if (role !== "assistant") {
    const results = resultsOf(record.details?.tool_results);
    return { role, content, at, ...imagesIn(record.details), ...(results.length > 0 && { results }) };
  }
  const { reasoning, reasoning_ms, tool_calls, finish_reason, finish_note, stopped, error, usage, time_to_first_token_ms, tokens_per_second, ...more } =
    record.details ?? {};
  const stats: AnswerStats = {
    ttftMs: figure(time_to_first_token_ms),
    tokensPerSecond: figure(tokens_per_second),
    usage: usageOf(usage),
  };
  return {
    role,
    content,
    at,
    reasoning: text(reasoning),
    reasoningMs: figure(reasoning_ms),
    toolCalls: Array.isArray(tool_calls) ? callsOf(tool_calls) : undefined,
    model: record.model ?? undefined,
    stats,
    finish: text(finish_reason),
    note: text(finish_note),
    stopped: stopped === true || undefined,
    error: errorOf(error),
    more,
  };
}

/** The length of a text in JSON whose letters beyond ASCII are escaped, as the server counts it. */
function escapedLength(value: string): number {
  let length = 0;
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at);
    length += code > 126 || code < 32 ? 6 : code === 34 || code === 92 ? 2 : 1;
  }
  return length;
}

/** As much of the beginning as fits. */
function cut(value: string, room: number): string {
  let length = value.length;
  while (length > 0 && escapedLength(value.slice(0, length)) > room) length = Math.floor(length * 0.8);
  return length < value.length ? `${value.slice(0, length)}…` : value;
}

/** What is kept beside the text of an answer, by the names that API and command line use. */
export function detailsOf(message: AssistantMessage): Record<string, unknown> {
  const { stats = {}, more, finish, note, stopped, error, reasoning, reasoningMs, toolCalls } = message;
  const details = {
    ...more,
    finish_reason: finish ?? null,
    finish_note: note,
    stopped,
    error,
    usage: stats.usage,
    time_to_first_token_ms: stats.ttftMs,
    tokens_per_second: stats.tokensPerSecond,
    reasoning_ms: reasoningMs,
    ...(toolCalls?.length && { tool_calls: toolCalls }),
  };
  const room = MAX_DETAILS - escapedLength(JSON.stringify(details));
  return reasoning ? { ...details, reasoning: cut(reasoning, room) } : details;
}

const MAX_SESSION_TITLE = 200;

/** A whole conversation as the server takes it in. Times are ISO 8601. */
export function exportOf(
  messages: Message[],
  session: { id: string; title: string; created_at?: string; updated_at?: string },
): SessionImport {
  const lines = messages.map((message, at) => ({
    id: String(at + 1),
    parent_message_id: at === 0 ? null : String(at),
    role: message.role,
    content: message.content,
    model: (message.role === "assistant" && message.model) || null,
    details: message.role === "assistant" ? detailsOf(message) : questionDetails(message),
    created_at: message.at ?? null,
  }));
  const title = session.title.slice(0, MAX_SESSION_TITLE);
  return { format: "venom-session", version: 1, pinned: false, ...session, title, messages: lines };
}
