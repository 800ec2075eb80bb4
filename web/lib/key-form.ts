import type { Schemas } from "./api/types";

export type Scope = "chat" | "models" | "admin";
export const SCOPES: readonly Scope[] = ["chat", "models", "admin"];
export type NewKeyBody = Schemas["CreateKeyRequest"];

/** The pattern of a key's name, as the server has it, for the browser's own check. */
export const NAME_PATTERN = "[\\p{L}\\p{N}_ .@+\\-]{1,100}";

/** What the form of a new key asks the server for; fields that are left empty are left out. */
export function keyBody(form: FormData): NewKeyBody {
  const text = (name: string) => String(form.get(name) ?? "").trim();
  const number = (name: string) => (text(name) === "" ? null : Number(text(name)));
  const scopes = SCOPES.filter((scope) => form.get(`scope_${scope}`) !== null);
  const models = text("models").split(/[\s,]+/).filter(Boolean);
  return {
    name: text("name"),
    scopes: form.get("all") === "some" ? scopes : null,
    models: models.length > 0 ? models : null,
    requests_per_day: number("requests_per_day"),
    tokens_per_day: number("tokens_per_day"),
    expires_in_days: number("expires_in_days"),
  };
}
