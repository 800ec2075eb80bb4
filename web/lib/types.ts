/** The records of the API that this page reads; sizes in bytes. */
export interface Reason {
  code: string;
  message: string;
  fix: string | null;
  docs?: string | null;
}

export type ProviderStatus = "idle" | "opening" | "ready" | "unavailable" | "failed" | "disabled";

export interface ProviderRecord {
  name: string;
  title?: string | null;
  status: ProviderStatus;
  reason: Reason | null;
  capabilities: string[];
}

export interface Suggestion {
  name: string;
  title: string | null;
  summary?: string | null;
  provider: string;
  command: string;
  size_bytes: number | null;
  fits: boolean | null;
  fit_message: string | null;
  available: boolean;
  reason: string | null;
  terms_url: string | null;
}

export interface Overview {
  version: string;
  profile: string;
  default_model: string | null;
  default_model_reason: string | null;
  key_required: boolean;
  /** For a browser in which nobody chose one. */
  theme?: "system" | "light" | "dark";
  machine: { memory_total_bytes: number; memory_available_bytes: number; cores: number };
  providers: ProviderRecord[];
  suggestions: Suggestion[];
  notes: { model: string; message: string }[];
}

export interface ModelRecord {
  id: string;
  reference: string;
  name: string;
  provider: string;
  title: string | null;
  summary: string | null;
  size_bytes: number | null;
  context_length: number | null;
  quantization: string | null;
  /** null: the provider cannot tell. */
  capabilities: string[] | null;
  loaded: boolean;
  base_model: boolean;
}

export interface PluginRecord {
  id: string;
  state: "discovered" | "disabled" | "incompatible" | "failed" | "loaded";
  recoverable: boolean;
  reason: Reason | null;
  distribution: string;
  version: string;
  api: string;
  origin: string;
  load_ms: number | null;
  providers: ProviderRecord[];
}

export interface WireMessage {
  role: "system" | "user" | "assistant";
  content: string;
}

export interface ChatPiece {
  resolved?: string;
  content?: string;
  reasoning?: string;
  finish?: string;
  usage?: { prompt_tokens: number; completion_tokens: number };
}

/** An install or a removal, as `GET /api/v1/models/operations/{id}` shows it. */
export interface Operation {
  operation_id: string;
  operation_type: "install" | "remove" | "activate" | "build";
  model_name: string;
  status: "pending" | "in_progress" | "completed" | "failed" | "paused" | "cancelled";
  bytes_total: number | null;
  bytes_done: number;
  /** Percent. */
  progress: number;
  message: string;
  error: string | null;
  code: string | null;
  fix: string | null;
  docs: string | null;
}
