import type { ToolCallPiece } from "./api/types";

/** What a model asks to be done; `arguments` is JSON as far as the model wrote JSON. */
export interface ToolCall {
  id: string;
  name: string;
  arguments: string;
}

/** What came of a call, given by hand. */
export interface ToolResult {
  id: string;
  name: string;
  content: string;
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** More calls than that no server takes back. */
const MAX_CALLS = 128;
const NO_CALL: ToolCall = { id: "", name: "", arguments: "" };

/** Calls with more pieces of them. */
export function grownCalls(calls: readonly ToolCall[] = [], pieces: readonly ToolCallPiece[]): ToolCall[] {
  const grown = [...calls];
  for (const { index, id, function: part } of pieces) {
    if (!Number.isInteger(index) || index < 0 || index >= MAX_CALLS) continue;
    while (grown.length <= index) grown.push({ ...NO_CALL, id: `call_${grown.length}` });
    const old = grown[index] ?? NO_CALL;
    grown[index] = { id: text(id) || old.id, name: old.name || text(part?.name), arguments: old.arguments + text(part?.arguments) };
  }
  return grown;
}

/** Calls or results as somebody kept them; what is none is left out. */
function kept(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter((one): one is Record<string, unknown> => typeof one === "object" && one !== null) : [];
}

export const callsOf = (value: unknown): ToolCall[] =>
  kept(value).map((call, at) => ({ id: text(call.id) || `call_${at}`, name: text(call.name), arguments: text(call.arguments) }));

export const resultsOf = (value: unknown): ToolResult[] =>
  kept(value).map(({ id, name, content }) => ({ id: text(id), name: text(name), content: text(content) }));

const compact = (json: string): string => json.replace(/\s/g, "");

/** JSON with a line for each value; what is no JSON, or would not be the same after it, stays as it is. */
export function prettyArguments(written: string): { text: string; json: boolean } {
  try {
    const text = JSON.stringify(JSON.parse(written), null, 2);
    return { text: compact(text) === compact(written) ? text : written, json: true };
  } catch {
    return { text: written, json: false };
  }
}
