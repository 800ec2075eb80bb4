/** Lines that connect a tool to this server, ready to paste. */
export interface Connection {
  /** Ends in /v1. */
  baseUrl: string;
  model: string;
  /** Null where none is needed; what stands for one that is not made yet otherwise. */
  key: string | null;
  /** Whether the model calls tools; null where nobody knows. */
  tools: boolean | null;
  images: boolean;
  contextLength: number | null;
}

export type Tool = "python" | "curl" | "openwebui" | "continue" | "zed";

export interface Snippet {
  id: Tool;
  title: string;
  lines: string;
}

export const NO_KEY_YET = "YOUR_KEY";
/** What programs that insist on a key get where none is needed. */
const UNUSED = "unused";
const COMMON_CONTEXT = 8192;

/** Tools that send their own tools with every question: nothing for a model that calls none. */
export const ALWAYS_SENDS_TOOLS: readonly Tool[] = ["zed"];

/** JSON strings are also strings of Python and of YAML. */
const quoted = (value: string) => JSON.stringify(value);

/** One word of a POSIX shell, whatever the value holds. */
const shellQuoted = (value: string) => `'${value.replaceAll("'", "'\\''")}'`;

export function snippets(connection: Connection): Snippet[] {
  const made: Snippet[] = [
    { id: "python", title: "Python (openai)", lines: python(connection) },
    { id: "curl", title: "curl", lines: curl(connection) },
    { id: "openwebui", title: "Open WebUI", lines: openWebUi(connection) },
    { id: "continue", title: "Continue", lines: continueDev(connection) },
    { id: "zed", title: "Zed", lines: zed(connection) },
  ];
  return made.filter(({ id }) => connection.tools !== false || !ALWAYS_SENDS_TOOLS.includes(id));
}

function python({ baseUrl, model, key }: Connection): string {
  return `from openai import OpenAI

client = OpenAI(base_url=${quoted(baseUrl)}, api_key=${quoted(key ?? UNUSED)})
answer = client.chat.completions.create(
    model=${quoted(model)},
    messages=[{"role": "user", "content": "Hello"}],
)
print(answer.choices[0].message.content)`;
}

function curl({ baseUrl, model, key }: Connection): string {
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "Hello" }] });
  return [
    `curl ${baseUrl}/chat/completions`,
    ...(key === null ? [] : [`  -H ${shellQuoted(`Authorization: Bearer ${key}`)}`]),
    `  -H 'Content-Type: application/json'`,
    `  -d ${shellQuoted(body)}`,
  ].join(" \\\n");
}

function openWebUi({ baseUrl, key }: Connection): string {
  return [`OPENAI_API_BASE_URL=${baseUrl}`, `OPENAI_API_KEY=${key ?? UNUSED}`, "open-webui serve"].join(" \\\n");
}

function continueDev({ baseUrl, model, key, tools, images }: Connection): string {
  // What is not named Continue guesses from the model's name.
  const capabilities = [tools && "tool_use", images && "image_input"].filter(Boolean).join(", ");
  return `name: Venom
version: 1.0.0
schema: v1
models:
  - name: ${quoted(model)}
    provider: openai
    model: ${quoted(model)}
    apiBase: ${quoted(baseUrl)}
    apiKey: ${quoted(key ?? UNUSED)}
    capabilities: [${capabilities}]
    roles: [chat, edit]`;
}

/** Zed's own form of a model; the key goes into its agent panel, or into VENOM_API_KEY. */
function zed({ baseUrl, model, tools, images, contextLength }: Connection): string {
  const capabilities = { tools: tools !== false, images, parallel_tool_calls: false, prompt_cache_key: false };
  const listed = { name: model, display_name: `${model} (Venom)`, max_tokens: contextLength ?? COMMON_CONTEXT, capabilities };
  return JSON.stringify({ language_models: { openai_compatible: { Venom: { api_url: baseUrl, available_models: [listed] } } } }, null, 2);
}
