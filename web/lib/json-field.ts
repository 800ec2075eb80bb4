/** What is wrong with JSON that a person wrote; `detail` is where, or what the field must be. */
export type JsonProblem = { kind: "syntax"; line: number | null } | { kind: "not_object" } | { kind: "not_list" } | { kind: "no_type" } | { kind: "bad_tool"; at: number };

export type Checked<T> = { value: T; problem: null } | { value: null; problem: JsonProblem };

const bad = (problem: JsonProblem) => ({ value: null, problem });

/** What JSON is made of, one at a time. */
const TOKEN = /[\s,:{}[\]]+|"(?:[^"\\\n]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** The line of the first thing that JSON does not have; browsers tell none, or each in other words. */
function lineOf(text: string): number | null {
  TOKEN.lastIndex = 0;
  let at = 0;
  while (at < text.length && TOKEN.test(text)) at = TOKEN.lastIndex;
  return at < text.length ? text.slice(0, at).split("\n").length : null;
}

function parsed(text: string): Checked<unknown> {
  try {
    return { value: JSON.parse(text) as unknown, problem: null };
  } catch {
    return bad({ kind: "syntax", line: lineOf(text) });
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** Words that say what a schema allows; one of them must be there for it to say anything. */
const SAYING = ["type", "properties", "anyOf", "oneOf", "allOf", "enum", "const", "$ref", "items"];

/** A JSON schema, whole enough to be asked for. The engine is the judge of the rest. */
export function checkedSchema(text: string): Checked<Record<string, unknown>> {
  const { value, problem } = parsed(text);
  if (problem) return bad(problem);
  if (!isObject(value)) return bad({ kind: "not_object" });
  return SAYING.some((word) => word in value) ? { value, problem: null } : bad({ kind: "no_type" });
}

/** Tools as the OpenAI API describes them: a list of functions, each with a name. */
export function checkedTools(text: string): Checked<Record<string, unknown>[]> {
  const { value, problem } = parsed(text);
  if (problem) return bad(problem);
  if (!Array.isArray(value)) return bad({ kind: "not_list" });
  const at = value.findIndex((one) => !(isObject(one) && one.type === "function" && isObject(one.function) && typeof one.function.name === "string"));
  return at < 0 ? { value: value as Record<string, unknown>[], problem: null } : bad({ kind: "bad_tool", at: at + 1 });
}
