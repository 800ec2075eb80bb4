import type { Schemas } from "./api/types";
import { signedIn } from "./key";
import { createStore } from "./store";

export type ConfigView = Schemas["ConfigView"];
type Field = Schemas["SettingField"];
export type Value = string | number | boolean | string[] | null;

/** What a form knows of a value: the part of JSON Schema that settings use. */
export interface Form {
  type: "string" | "integer" | "number" | "boolean" | "array";
  format?: "path" | "uri";
  enum?: string[];
  items?: { type: string; format?: string; enum?: string[] };
  description?: string;
  default?: Value;
  minimum?: number;
  maximum?: number;
}

export interface Setting {
  /** What the API calls it, and so do refusals. */
  name: string;
  key: string;
  group: string;
  form: Form;
  value: Value;
  origin: Schemas["ConfigView"]["config_sources"][string];
  secret: boolean;
  restart: boolean;
  /** It works with another value until the next start. */
  waits: boolean;
  fixedBy: string | null;
  /** Everything it may be searched by. */
  words: string[];
  error?: Field["error"];
}

/** What somebody typed and has not saved, by the setting's name; null takes the setting out of the file. */
export type Drafts = Record<string, string | boolean | null>;

/** They outlast a visit of another page, not a sign-in: secrets may be among them. */
export const drafts = createStore<Drafts>({});
signedIn.subscribe(() => drafts.set({}));

export function draft(name: string, typed: string | boolean | null): void {
  drafts.set((old) => ({ ...old, [name]: typed }));
}

export function undraft(...names: string[]): void {
  drafts.set((old) => Object.fromEntries(Object.entries(old).filter(([name]) => !names.includes(name))));
}

/** The settings of the server, in its order. */
export function settingsOf(view: ConfigView): Setting[] {
  return Object.entries(view.schema).map(([name, field]) => ({
    name,
    key: field.key,
    group: field.provider === null ? field.key.split(".")[0]! : `providers.${field.provider}`,
    form: field.form as unknown as Form,
    value: (view.config[name] ?? null) as Value,
    origin: view.config_sources[name] ?? null,
    secret: field.secret,
    restart: field.restart,
    waits: view.restart_required.includes(name),
    fixedBy: field.fixed_by,
    words: [name, field.key, field.env, ...field.aliases, String(field.form.description ?? "")],
    error: field.error,
  }));
}

/** A value as its field shows it. */
export function typedFrom(setting: Setting): string | boolean {
  const { value, form } = setting;
  if (form.type === "boolean") return value === true;
  if (setting.secret || value === null) return "";
  return Array.isArray(value) ? value.join("\n") : String(value);
}

/** Why what was typed cannot be taken. */
export type Problem =
  | { kind: "whole" | "number" | "url" }
  | { kind: "least" | "most"; bound: number }
  | { kind: "choice"; choices: string[] };

export type Read = { value: Value; problem?: undefined } | { value?: undefined; problem: Problem };

const URL_TEXT = /^(https?:\/\/)?[^\s/:@][^\s]*$/i;

/** Read what was typed as the setting's value; null stands for its default. */
export function read({ form }: Setting, typed: string | boolean | null): Read {
  if (typed === null || typeof typed === "boolean") return { value: typed };
  const text = typed.trim();
  if (form.type === "array") return readLines(form, text);
  if (text === "") return { value: null };
  if (form.type === "integer" || form.type === "number") return readNumber(form, text);
  if (form.enum && !form.enum.includes(text)) return { problem: { kind: "choice", choices: form.enum } };
  if (form.format === "uri" && !isUrl(text)) return { problem: { kind: "url" } };
  return { value: text };
}

function isUrl(text: string): boolean {
  return URL_TEXT.test(text) && !(/^[a-z]+:\/\//i.test(text) && !/^https?:/i.test(text));
}

function readLines({ items, default: preset }: Form, text: string): Read {
  const lines = text.split("\n").map((line) => line.trim()).filter(Boolean);
  if (lines.length === 0) return { value: Array.isArray(preset) ? [] : null };
  const choices = items?.enum;
  if (choices && lines.some((line) => !choices.includes(line))) return { problem: { kind: "choice", choices } };
  if (items?.format === "uri" && !lines.every(isUrl)) return { problem: { kind: "url" } };
  return { value: lines };
}

function readNumber({ type, minimum, maximum }: Form, text: string): Read {
  const plain = text.replace(/[\s\u00a0]/g, "").replace(",", ".");
  const value = Number(plain);
  if (!Number.isFinite(value)) return { problem: { kind: type === "integer" ? "whole" : "number" } };
  if (type === "integer" && !Number.isSafeInteger(value)) return { problem: { kind: "whole" } };
  if (minimum !== undefined && value < minimum) return { problem: { kind: "least", bound: minimum } };
  if (maximum !== undefined && value > maximum) return { problem: { kind: "most", bound: maximum } };
  return { value };
}

export interface Change {
  setting: Setting;
  /** Null goes back to the default. */
  value: Value;
  problem?: Problem;
}

const same = (one: Value, other: Value) => JSON.stringify(one) === JSON.stringify(other);

/** What a draft would change; undefined where the setting has that value already. */
export function changeOf(setting: Setting, typed: Drafts[string] | undefined): Change | undefined {
  if (typed === undefined || setting.fixedBy !== null) return undefined;
  const got = read(setting, typed);
  if (got.problem) return { setting, value: null, problem: got.problem };
  // A secret is not shown: an empty field leaves it alone, and only null removes it.
  if (setting.secret && got.value === null && typed !== null) return undefined;
  const isSet = setting.origin === "file" || setting.error !== undefined;
  const changes = got.value === null ? isSet : setting.secret || !same(got.value, setting.value);
  return changes ? { setting, value: got.value } : undefined;
}

export function changesOf(settings: Setting[], typed: Drafts): Change[] {
  return settings.map((one) => changeOf(one, typed[one.name])).filter((one) => one !== undefined);
}

/** Whether each word is found in what a setting goes by, its label among it. */
export function matches(setting: Setting, label: string, find: string): boolean {
  const value = setting.secret ? "" : String(setting.value ?? "");
  const hay = [label, value, ...setting.words].join(" ").toLowerCase();
  return find.toLowerCase().split(/\s+/).every((word) => hay.includes(word));
}

/** Settings by their group, the groups in the order of the server. */
export function grouped(settings: Setting[]): [group: string, settings: Setting[]][] {
  const groups = new Map<string, Setting[]>();
  for (const one of settings) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  return [...groups];
}
