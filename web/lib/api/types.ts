import type { ContentPart } from "../attachments";
import type { components, paths } from "./schema";

export type { paths } from "./schema";

/** The server's shapes by the names that this page uses. schema.ts is made from ../../openapi.json. */
export type Schemas = components["schemas"];
export type Reason = Schemas["ReasonRecord"];
export type ProviderRecord = Schemas["ProviderView"];
export type ProviderStatus = ProviderRecord["status"];
export type PluginRecord = Schemas["PluginView"];
export type PluginState = PluginRecord["state"];
export type Overview = Schemas["FirstScreen"];
export type OverviewProvider = Schemas["OverviewProvider"];
export type Suggestion = Schemas["SuggestionView"];
export type ModelRecord = Schemas["ModelView"];
/** An install or a removal. */
export type Operation = Schemas["OperationView"];

export type TokenUsage = Schemas["TokenUsage"];
export type SessionRecord = Schemas["SessionRecord"];
export type MessageRecord = Schemas["MessageRecord"];
export type SessionImport = Schemas["SessionImport"];

/** A path that can be asked with GET for JSON, and what it answers. */
export type GetPath = { [P in keyof paths]: JsonOf<P> extends never ? never : P }[keyof paths];
export type JsonOf<P extends keyof paths> = paths[P] extends {
  get: { responses: { 200: { content: { "application/json": infer Json } } } };
}
  ? Json
  : never;

export interface WireMessage {
  role: "system" | "user" | "assistant" | "tool";
  content: string | ContentPart[];
  tool_calls?: { id: string; type: "function"; function: { name: string; arguments: string } }[];
  tool_call_id?: string;
}

/** Pieces of one call have the same index; those of `arguments` belong together. */
export interface ToolCallPiece {
  index: number;
  id?: string | null;
  function?: { name?: string | null; arguments?: string | null };
}

/** What is heard of an answer, piece by piece. */
export interface ChatPiece {
  resolved?: string;
  content?: string;
  reasoning?: string;
  toolCalls?: ToolCallPiece[];
  finish?: string;
  note?: string;
  usage?: Schemas["TokenUsage"];
}
