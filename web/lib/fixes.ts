import type { ErrorRecord } from "./errors";

/** What the page can do about a refusal of a question. */
export type Fix =
  | "retry"
  | "load"
  | "free_memory"
  | "choose_model"
  | "get_model"
  | "enter_key"
  | "new_chat"
  | "leave_out"
  | "open_settings"
  | "see_plugins"
  | "see_runtime";

const BY_CODE: Record<string, readonly Fix[]> = {
  context_length_exceeded: ["new_chat", "choose_model"],
  request_too_large: ["new_chat"],
  text_too_long: ["new_chat"],
  session_full: ["new_chat"],
  model_not_found: ["choose_model", "get_model"],
  no_model: ["choose_model", "get_model"],
  ambiguous_model: ["choose_model"],
  active_model_gone: ["choose_model", "get_model"],
  model_not_allowed: ["choose_model"],
  model_not_capable: ["choose_model", "get_model"],
  model_damaged: ["choose_model", "get_model"],
  model_incomplete: ["choose_model", "get_model"],
  model_gated: ["choose_model"],
  model_loading: ["retry"],
  switch_in_progress: ["retry"],
  out_of_memory: ["free_memory", "choose_model", "retry"],
  too_little_memory: ["free_memory", "choose_model", "retry"],
  invalid_api_key: ["enter_key"],
  key_required: ["enter_key"],
  scope_missing: ["enter_key"],
  quota_exceeded: ["retry"],
  unsupported_parameter: ["leave_out", "open_settings", "choose_model"],
  unusable_schema: ["open_settings", "leave_out"],
  invalid_parameters: ["open_settings"],
  invalid_request_error: ["open_settings", "retry"],
  engine_stopped: ["load"],
  engine_crashed: ["load"],
  engine_exited: ["load", "see_plugins"],
  engine_not_ready: ["load", "retry"],
  engine_missing: ["choose_model", "see_plugins"],
  engine_damaged: ["choose_model", "see_plugins"],
  engine_incompatible: ["choose_model", "see_plugins"],
  engine_unreachable: ["retry", "see_plugins"],
  execution_provider_missing: ["choose_model", "see_plugins"],
  provider_off: ["choose_model", "see_plugins"],
  provider_unavailable: ["retry", "choose_model", "see_plugins"],
  provider_missing: ["choose_model", "see_plugins"],
  ollama_down: ["retry", "choose_model"],
  ollama_starting: ["retry"],
  ollama_sign_in_required: ["choose_model"],
  payment_required: ["choose_model"],
  llm_off: ["see_runtime"],
};

/** The parameter that was refused, where leaving it out is for the page to do. */
export function refusedOption({ code, param }: ErrorRecord): string | null {
  if (code === "unusable_schema") return "response_format";
  const name = /^[a-z_]+/.exec(param ?? "")?.[0];
  return code === "unsupported_parameter" && name && name !== "messages" ? name : null;
}

/** What may help, the likeliest first; asking again always can. */
export function fixesFor(error: ErrorRecord): Fix[] {
  const found = BY_CODE[error.code] ?? ["retry"];
  const able = refusedOption(error) === null ? found.filter((fix) => fix !== "leave_out") : found;
  return [...new Set<Fix>([...able, "retry"])];
}
