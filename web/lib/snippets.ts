/** Lines that connect a tool to this server, ready to paste. */
export interface Connection {
  /** Ends in /v1. */
  baseUrl: string;
  model: string;
  keyRequired: boolean;
}

export interface Snippet {
  id: "python" | "curl" | "openwebui" | "continue";
  title: string;
  lines: string;
}

/** JSON strings are also strings of Python and of YAML. */
const quoted = (value: string) => JSON.stringify(value);

/** One word of a POSIX shell, whatever the value holds. */
const shellQuoted = (value: string) => `'${value.replaceAll("'", "'\\''")}'`;

export function snippets({ baseUrl, model, keyRequired }: Connection): Snippet[] {
  const key = keyRequired ? "YOUR_KEY" : "unused";
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "Hello" }] });
  const python = `from openai import OpenAI

client = OpenAI(base_url=${quoted(baseUrl)}, api_key=${quoted(key)})
answer = client.chat.completions.create(
    model=${quoted(model)},
    messages=[{"role": "user", "content": "Hello"}],
)
print(answer.choices[0].message.content)`;
  const curl = [
    `curl ${baseUrl}/chat/completions`,
    ...(keyRequired ? [`  -H "Authorization: Bearer ${key}"`] : []),
    `  -H "Content-Type: application/json"`,
    `  -d ${shellQuoted(body)}`,
  ].join(" \\\n");
  const openwebui = [`OPENAI_API_BASE_URL=${baseUrl}`, `OPENAI_API_KEY=${key}`, "open-webui serve"].join(" \\\n");
  const continueDev = `name: Venom
version: 1.0.0
schema: v1
models:
  - name: ${quoted(model)}
    provider: openai
    model: ${quoted(model)}
    apiBase: ${quoted(baseUrl)}
    apiKey: ${quoted(key)}
    roles: [chat, edit]`;
  return [
    { id: "python", title: "Python (openai)", lines: python },
    { id: "curl", title: "curl", lines: curl },
    { id: "openwebui", title: "Open WebUI", lines: openwebui },
    { id: "continue", title: "Continue", lines: continueDev },
  ];
}
