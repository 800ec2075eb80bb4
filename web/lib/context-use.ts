import type { Attachment } from "./attachments";
import { withFiles } from "./attachments";
import type { Message } from "./conversation";

/** Where nothing was measured: characters of English a token stands for; other languages take more tokens. */
const CHARACTERS_PER_TOKEN = 3.6;
/** Fewer measured tokens say nothing of the words: the template's own weigh too much. */
const ENOUGH_TOKENS = 60;
/** What a template puts around a message. */
const AROUND = 6;
/** Models differ much here: Gemma 3 takes 256 for an image, others several hundred. */
const IMAGE_TOKENS = 300;

export interface ContextUse {
  /** Tokens of the conversation so far: counted by the server where an answer told them. */
  used: number;
  /** Estimated tokens of what would be asked next. */
  next: number;
  /** All of the model's context; null where it is not known. */
  room: number | null;
  /** Whether any part is an estimate. */
  estimated: boolean;
  level: "well" | "near" | "over";
}

/** The share of the context from which on there is a warning. */
const NEAR = 0.85;

function charactersOf(messages: readonly Message[]): number {
  return messages.reduce((sum, { content }) => sum + content.length, 0);
}

/** How many characters a token of this conversation has, where that was measured. */
function ratioOf(messages: readonly Message[], until: number, tokens: number): number {
  const characters = charactersOf(messages.slice(0, until + 1));
  if (tokens < ENOUGH_TOKENS || characters < tokens) return CHARACTERS_PER_TOKEN;
  return Math.min(characters / tokens, 6);
}

/** What of the context a next question would take. */
export function contextUse(
  messages: readonly Message[],
  typed: string,
  attachments: readonly Attachment[],
  system: string | undefined,
  room: number | null,
): ContextUse {
  const at = messages.findLastIndex((one) => one.role === "assistant" && one.stats?.usage !== undefined);
  const last = messages[at];
  const usage = last?.role === "assistant" ? last.stats?.usage : undefined;
  const counted = usage ? usage.prompt_tokens + usage.completion_tokens : 0;
  const ratio = ratioOf(messages, at, counted);
  const tokensOf = (characters: number, parts: number) => (characters === 0 ? 0 : Math.ceil(characters / ratio) + AROUND * parts);
  const since = messages.slice(at + 1);
  const before = counted === 0 && system ? tokensOf(system.length, 1) : 0;
  const used = counted + before + tokensOf(charactersOf(since), since.length);
  const words = withFiles(typed.trim(), attachments);
  const images = attachments.filter((one) => one.kind === "image").length;
  const next = tokensOf(words.length, 1) + images * IMAGE_TOKENS;
  const share = room === null ? 0 : (used + next) / room;
  return {
    used,
    next,
    room,
    estimated: next > 0 || since.length > 0 || before > 0,
    level: share >= 1 ? "over" : share >= NEAR ? "near" : "well",
  };
}
