import type { Schemas } from "./api/types";

/** The JSON Schema of one setting's value, as the server declares it. */
export interface FieldSchema {
  type?: "string" | "integer" | "number" | "boolean" | "array";
  format?: string;
  enum?: (string | number)[];
  items?: FieldSchema;
  description?: string;
  minimum?: number;
  maximum?: number;
  default?: unknown;
  writeOnly?: boolean;
}

/** What a field needs to know of a setting, wherever it is shown. */
export interface FieldOf {
  key: string;
  schema: FieldSchema;
  value: unknown;
  origin: Schemas["SettingView"]["origin"];
  /** The variable or option that sets it, so that nothing here can. */
  fixedBy: string | null;
  error: Schemas["ErrorRecord"] | null;
}

/** What stands in a field: text of an input, a mark, the marked ones of a list. */
export type Draft = string | boolean | string[];

export type Problem = "not_whole" | "not_number" | "too_small" | "too_large" | "not_url";

export function fieldOf(setting: Schemas["SettingView"], schema: FieldSchema): FieldOf {
  const fixed = setting.origin === "env" || setting.origin === "flag";
  return {
    key: setting.key,
    schema,
    value: setting.value,
    origin: setting.origin,
    fixedBy: fixed ? (setting.variable ?? setting.env) : null,
    error: setting.error ?? null,
  };
}

const isList = (schema: FieldSchema) => schema.type === "array";

/** What a field holds at first. A secret is never shown: its field is empty, and stays so unless it is written into. */
export function draftOf({ schema, value }: Pick<FieldOf, "schema" | "value">): Draft {
  if (schema.writeOnly) return "";
  if (schema.type === "boolean") return value === true;
  if (isList(schema)) {
    const items = Array.isArray(value) ? value.map(String) : [];
    return schema.items?.enum ? items : items.join("\n");
  }
  return value === null || value === undefined ? "" : String(value);
}

const linesOf = (draft: Draft) => String(draft).split("\n").map((line) => line.trim()).filter(Boolean);

/** People write a decimal comma too. */
const numberOf = (text: string) => Number(text.trim().replace(",", "."));

/** The value that a draft stands for; null is none, and takes the setting out of the file. */
export function valueOf(schema: FieldSchema, draft: Draft): unknown {
  if (typeof draft === "boolean") return draft;
  if (Array.isArray(draft)) return draft;
  if (isList(schema)) return linesOf(draft);
  const text = schema.writeOnly ? draft : draft.trim();
  if (text === "") return null;
  if (schema.type === "integer" || schema.type === "number") return numberOf(text);
  return text;
}

export function problemOf(schema: FieldSchema, draft: Draft): Problem | null {
  if (typeof draft !== "string" || draft.trim() === "" || isList(schema)) return null;
  if (schema.format === "uri") return /^\S+$/.test(draft.trim()) ? null : "not_url";
  if (schema.type !== "integer" && schema.type !== "number") return null;
  const number = numberOf(draft);
  if (!Number.isFinite(number)) return "not_number";
  if (schema.type === "integer" && !Number.isInteger(number)) return "not_whole";
  if (schema.minimum !== undefined && number < schema.minimum) return "too_small";
  if (schema.maximum !== undefined && number > schema.maximum) return "too_large";
  return null;
}

/** Whether a draft says something else than what is set. */
export function isChanged(field: FieldOf, draft: Draft): boolean {
  return JSON.stringify(draft) !== JSON.stringify(draftOf(field));
}

/** The new values of those that were changed, by the key of each. */
export function updatesOf(fields: readonly FieldOf[], drafts: ReadonlyMap<string, Draft | null>): Record<string, unknown> {
  const changed = fields.flatMap((field) => {
    const draft = drafts.get(field.key);
    if (draft === null) return [[field.key, null] as const];
    return draft === undefined || !isChanged(field, draft) ? [] : [[field.key, valueOf(field.schema, draft)] as const];
  });
  return Object.fromEntries(changed);
}
