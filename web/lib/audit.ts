import type { JsonOf } from "./api/types";

export type AuditEntry = JsonOf<"/api/v1/audit">["entries"][number];

/** The kinds of changes that the trail is narrowed to: the first word of an action. */
export const KINDS = [
  "key", "session", "model", "operation", "alias", "server", "plugin", "service", "profile", "settings", "usage", "conversation", "benchmark",
] as const;
export type Kind = (typeof KINDS)[number];

/** What changed: each field with what it was and what it became; `undefined` is "was not there". */
export interface Difference {
  field: string;
  before: string | undefined;
  after: string | undefined;
}

function shown(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The fields of an entry that differ; what only repeats itself is left out. */
export function differencesOf({ before, after }: Pick<AuditEntry, "before" | "after">): Difference[] {
  const [old, next] = [(before ?? {}) as Record<string, unknown>, (after ?? {}) as Record<string, unknown>];
  return [...new Set([...Object.keys(old), ...Object.keys(next)])]
    .map((field) => ({ field, before: shown(old[field]), after: shown(next[field]) }))
    .filter((one) => one.before !== one.after);
}

type Words = Record<string, string | ((...args: never[]) => string)>;

/** An entry as a sentence; an action of a newer server is named as it is. `subject` may be a name in place of an id. */
export function sentenceOf(words: Words, entry: Pick<AuditEntry, "action">, subject: string): string {
  const word = words[`did_${entry.action.replaceAll(".", "_")}`];
  if (word === undefined) return `${entry.action}: ${subject}`;
  return typeof word === "string" ? word : (word as (subject: string) => string)(subject);
}

/** How often something was done that is counted in one entry. */
export function timesOf({ after }: Pick<AuditEntry, "after">): { times: number; last: string } | null {
  const { times, last_at: last } = (after ?? {}) as { times?: unknown; last_at?: unknown };
  return typeof times === "number" && typeof last === "string" ? { times, last } : null;
}
