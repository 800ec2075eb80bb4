import type { Schemas } from "./api/types";

export type ParameterView = Schemas["ParameterView"];
/** What stands in the fields, by parameter; "" is "not set here". */
export type Fields = Record<string, string>;

/** What was stored, as it stands in the fields. */
export function fieldsOf(schema: Record<string, ParameterView>, saved: Record<string, unknown>): Fields {
  return Object.fromEntries(Object.keys(schema).map((name) => [name, text(saved[name])]));
}

export function text(value: unknown): string {
  if (value === null || value === undefined) return "";
  return Array.isArray(value) ? value.join("\n") : String(value);
}

/** What the fields ask for; `wrong` are the names of those that hold no number. Bounds are the server's to judge. */
export function parametersOf(schema: Record<string, ParameterView>, fields: Fields): { params: Record<string, unknown>; wrong: string[] } {
  const params: Record<string, unknown> = {};
  const wrong: string[] = [];
  for (const [name, { type }] of Object.entries(schema)) {
    const written = fields[name] ?? "";
    if (written.trim() === "") continue;
    if (type === "enum") params[name] = written;
    else if (type === "list") params[name] = written.split("\n").filter((line) => line !== "");
    else {
      const number = Number(written.trim().replace(",", "."));
      if (Number.isFinite(number)) params[name] = number;
      else wrong.push(name);
    }
  }
  return { params, wrong };
}
