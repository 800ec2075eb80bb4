import type { Attachment } from "./attachments";
import { chat } from "./chat-state";
import { itemNames, readItem, writeItem } from "./storage";
import { createStore } from "./store";
import { typed } from "./typed";

/** What holds for every question of a conversation, until it is changed. */
export interface ChatOptions {
  /** Instructions for the model, before the conversation. */
  system?: string;
  /** Generation parameters by their OpenAI names; what is not here is the model's affair. */
  parameters: Record<string, unknown>;
  response_format?: Record<string, unknown>;
  tools?: unknown[];
  /** Another model that answers each question beside the first. */
  second?: string;
  /** Fields as they were written, right or not yet. */
  written?: { schema?: string; tools?: string };
}

export interface QuestionOptions extends ChatOptions {
  /** Of the next question only. */
  attachments: Attachment[];
}

const ITEM = "venom.options.";
export const DRAFT_ITEM = "venom.draft.";
export const BRANCH_ITEM = "venom.branch.";
/** A conversation without a word has no name that outlives a reload. */
const UNSENT = "new";
/** What a new conversation begins with. */
const DEFAULT = "default";

export const noOptions = (): ChatOptions => ({ parameters: {} });

export const chatOptions = createStore<ChatOptions>(noOptions());
export const attachments = createStore<Attachment[]>([]);

let shownId = "";
let shownName = "";

function stored(name: string): ChatOptions | null {
  try {
    const found = JSON.parse(readItem("localStorage", ITEM + name) ?? "null") as ChatOptions | null;
    return found && typeof found.parameters === "object" && found.parameters !== null ? found : null;
  } catch {
    return null;
  }
}

function store(name: string, options: ChatOptions | null): void {
  writeItem("localStorage", ITEM + name, options && JSON.stringify(options));
}

/** By which name the browser keeps what belongs to the conversation on the screen. */
export function keptName(): string {
  const { id, messages, reading } = chat.get();
  return messages.length > 0 || reading ? id : UNSENT;
}

/** Take the options of the conversation that is on the screen now. */
export function followOptions(): void {
  const { id } = chat.get();
  const name = keptName();
  if (id !== shownId) {
    chatOptions.set(stored(name) ?? (name === UNSENT ? stored(DEFAULT) : null) ?? noOptions());
    attachments.set([]);
  } else if (name !== shownName && shownName === UNSENT) {
    // The first question was asked: from now on they are the conversation's.
    store(name, chatOptions.get());
    store(UNSENT, null);
  }
  shownId = id;
  shownName = name;
}

/** What the next question of the conversation on the screen carries beside its words. */
export function questionOptions(): QuestionOptions {
  followOptions();
  return { ...chatOptions.get(), attachments: attachments.get() };
}

/** The options as fields of a request, beside its messages. */
export function wireOptions({ parameters, response_format, tools }: ChatOptions): Record<string, unknown> {
  return { ...parameters, ...(response_format && { response_format }), ...(tools && tools.length > 0 && { tools }) };
}

/** Whether anything differs from what the model does by itself. */
export const isChanged = ({ system, parameters, response_format, tools }: ChatOptions): boolean =>
  Boolean(system || response_format || tools?.length) || Object.keys(parameters).length > 0;

export function changeOptions(change: Partial<ChatOptions>): void {
  followOptions();
  chatOptions.set((old) => ({ ...old, ...change }));
  store(shownName, chatOptions.get());
}

export const defaultOptions = (): ChatOptions | null => stored(DEFAULT);

/** Forget what this browser keeps of one conversation, or of all: what was set, what was written and not sent, what was shown. */
export function forgetKept(id?: string): void {
  if (id === undefined) typed.set("");
  for (const area of ["localStorage", "sessionStorage"] as const) {
    for (const item of itemNames(area)) {
      const name = [ITEM, DRAFT_ITEM, BRANCH_ITEM].find((begin) => item.startsWith(begin));
      if (name !== undefined && (id === undefined || item === name + id)) writeItem(area, item, null);
    }
  }
}

/** Begin every new conversation with these; null for none. */
export const keepAsDefault = (options: ChatOptions | null): void => store(DEFAULT, options);
