import type { ClientCode } from "../errors";
import type { ProviderStatus } from "../api/types";

/** Faults that the page itself finds, each with what to do about it. */
type ClientTexts = Record<ClientCode | `${ClientCode}_fix`, string>;
type StatusTexts = Record<`status_${ProviderStatus}`, string>;

const client: ClientTexts = {
  client_unreachable: "Venom does not answer.",
  client_unreachable_fix: "Start it with `venom serve`, then try again.",
  client_bad_answer: "The server sent something that this page cannot read.",
  client_bad_answer_fix: "Try again. If it stays, look for the cause with `venom doctor`.",
  client_incomplete: "The connection broke before the answer was complete.",
  client_incomplete_fix: "Try again. If it stays, look for the cause with `venom doctor`.",
};

const statuses: StatusTexts = {
  status_idle: "on demand",
  status_opening: "starting",
  status_ready: "ready",
  status_degraded: "limited",
  status_unavailable: "unavailable",
  status_failed: "failed",
  status_disabled: "disabled",
};

export const en = {
  ...client,
  ...statuses,

  skip_to_chat: "Skip to the message box",
  skip_to_content: "Skip to the content",
  navigation: "Chats and settings",
  open_menu: "Open the menu",
  close: "Close",
  cancel: "Cancel",
  copy: "Copy",
  copied: "Copied",
  retry: "Try again",
  loading: "Loading",
  page_missing: "There is no such page.",
  back_to_chat: "Back to the chat",
  fix: "What to do",
  docs: "Read more",
  docs_of: (code: string) => `Read more: ${code} (new tab)`,

  new_chat: "New chat",
  chats: "Chats",
  no_chats: "Your conversations are kept by this server and are listed here.",
  more_chats: "Show older chats",
  search_chats: "Search chats",
  more_of_chat: (title: string) => `More for the chat “${title}”`,
  pinned_chat: "pinned",
  chats_refused: "The list of chats is not up to date.",
  delete_chat: (title: string) => `Delete the chat “${title}”`,
  deleted_chat: (title: string) => `Deleted: ${title}`,
  undo: "Undo",
  rename_chat: (title: string) => `Rename the chat “${title}”`,
  new_title: "New title of the chat",
  untitled: "Untitled",
  local_chat: "not kept",
  chat_reading: "Fetching the conversation",
  not_kept: "This conversation is not kept as it is shown. It stays here until this page is closed.",
  keep_again: "Keep it now",
  keep_as_new: "Keep it as a new chat",
  untaken: (count: number) =>
    count === 1 ? "One older chat is still in this browser only." : `${count} older chats are still in this browser only.`,
  untaken_delete: "Delete them here",
  untaken_delete_sure: "Delete them for good?",
  sign_out_untaken: "Sign out and delete the chats that are in this browser only?",

  pages: "Pages",
  route_chat: "Chat",
  route_models: "Models",
  route_plugins: "Plugins",
  route_keys: "Keys",
  route_runtime: "Runtime",
  route_config: "Settings",
  route_benchmark: "Benchmark",
  route_usage: "Usage",
  route_translate: "Translation",
  empty: "Nothing is here yet.",

  language: "Language",
  theme: "Appearance",
  theme_system: "System",
  theme_light: "Light",
  theme_dark: "Dark",
  settings_warnings: "Settings",
  version: (version: string) => `Venom ${version}`,

  model: "Model",
  choose_model: "Choose a model",
  no_model: "No model",
  find_model: "Find a model",
  no_match: "No model matches.",
  default_mark: "default",
  base_mark: "base model",
  tested_mark: "self-tested",
  loaded_mark: "in memory",
  runs_at: (host: string) => `on ${host}`,
  context_length: (tokens: string) => `${tokens} tokens of context`,

  message: "Message",
  message_placeholder: "Write a message",
  message_placeholder_no_model: "Get a model first",
  send: "Send",
  stop: "Stop",
  keys_hint: "Enter sends, Shift + Enter starts a new line, Esc stops.",
  chat_settings: "Settings of this chat",
  chat_settings_changed: "Settings of this chat: changed",
  conversation: "Conversation",
  latest: "Go to the latest message",
  said_started: "The answer is being written.",
  said_finished: "Answer:",
  said_stopped: "The answer was stopped.",
  said_error: "The answer failed:",
  said_rest: "The answer goes on.",

  welcome: "What would you like to know?",
  welcome_local: "The answer is made on this machine by the model chosen above.",
  welcome_remote: (host: string) => `The answer is made elsewhere: what you write goes to ${host}.`,
  demo_note: "What this model is for",
  more_models: "Get a model for real work",

  providers: "Providers",
  provider_none: "No provider is installed.",

  get_model: "Get a model",
  connect: "Connect a tool",
  copy_of: (what: string) => `Copy: ${what}`,

  key_title: "This server wants a key",
  key_text: "Make one with `venom keys create NAME` on the machine where Venom runs. The page signs in with it and does not keep it.",
  key_wrong: "The server did not accept that key.",
  key_label: "API key",
  key_save: "Go on",
  key_enter: "Enter a key",
  sign_out: "Sign out",
};

type Text<T> = T extends (...args: infer A) => string ? (...args: A) => string : string;

/** What each language must have: a missing or a surplus key does not compile. */
export type Dictionary = { [K in keyof typeof en]: Text<(typeof en)[K]> };
