// The official client for JavaScript. Each case is run by its name and prints one line of JSON.
const OpenAI = require("openai");
const { zodResponseFormat } = require("openai/helpers/zod");
const { z } = require("zod");

const [name, baseURL, apiKey, model] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 120_000 });
const messages = [{ role: "user", content: "What is the capital of Poland?" }];
const tools = [
  {
    type: "function",
    function: {
      name: "weather",
      parameters: { type: "object", properties: { city: { type: "string" } } },
    },
  },
];

async function textOf(stream) {
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? "";
  return text;
}

async function refusal(promise) {
  try {
    await promise;
    return null;
  } catch (error) {
    return { kind: error.constructor.name, status: error.status, code: error.code, message: error.message };
  }
}

const cases = {
  async chat() {
    const answer = await client.chat.completions.create({ model, messages, temperature: 0 });
    return answer.choices[0].message.content;
  },
  async stream() {
    const options = { include_usage: true };
    return textOf(await client.chat.completions.create({ model, messages, stream: true, stream_options: options }));
  },
  async tools() {
    const first = await client.chat.completions.create({ model, messages, tools });
    const [call] = first.choices[0].message.tool_calls;
    const result = { role: "tool", tool_call_id: call.id, content: "sunny" };
    const turns = [...messages, first.choices[0].message, result];
    const second = await client.chat.completions.create({ model, messages: turns, tools });
    return [call.function.arguments, second.choices[0].message.content];
  },
  async toolsInAStream() {
    const final = await client.chat.completions.stream({ model, messages, tools }).finalChatCompletion();
    return final.choices[0].message.tool_calls[0].function.arguments;
  },
  async schema() {
    const city = z.object({ city: z.string() });
    const response_format = zodResponseFormat(city, "city");
    const answer = await client.chat.completions.parse({ model, messages, response_format });
    return answer.choices[0].message.parsed;
  },
  async image() {
    const image = { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } };
    const content = [{ type: "text", text: "What is it?" }, image];
    const answer = await client.chat.completions.create({ model, messages: [{ role: "user", content }] });
    return answer.choices[0].message.content;
  },
  async embeddings() {
    const answer = await client.embeddings.create({ model, input: ["a", "abc"] });
    return answer.data.map((row) => row.embedding.length > 2 ? row.embedding.length : row.embedding);
  },
  async models() {
    const names = [];
    for await (const one of client.models.list()) names.push(one.id);
    return names;
  },
  refused: () => refusal(client.chat.completions.create({ model, messages })),
  brokenOff: async () => refusal(textOf(await client.chat.completions.create({ model, messages, stream: true }))),
  async leave() {
    const stream = await client.chat.completions.create({ model, messages, stream: true });
    for await (const chunk of stream) return chunk.choices[0].delta.content; // leaving the loop aborts
  },
};

cases[name]().then((told) => console.log(JSON.stringify(told)));
