// The AI SDK of Vercel over @ai-sdk/openai-compatible. Each case prints one line of JSON.
const { createOpenAICompatible } = require("@ai-sdk/openai-compatible");
const { embedMany, generateText, Output, stepCountIs, streamText, tool } = require("ai");
const { z } = require("zod");

const [name, baseURL, apiKey, id] = process.argv.slice(2);
const venom = createOpenAICompatible({ name: "venom", baseURL, apiKey, includeUsage: true, supportsStructuredOutputs: true });
const prompt = "What is the capital of Poland?";
const common = { model: venom(id), prompt, maxRetries: 0 };
const weather = tool({
  description: "Say the weather of a city",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}`,
});

async function refusal(promise) {
  try {
    await promise;
    return null;
  } catch (error) {
    return { kind: error.name, status: error.statusCode, message: error.message };
  }
}

const cases = {
  chat: async () => (await generateText({ ...common, temperature: 0 })).text,
  async stream() {
    const answer = streamText(common);
    let text = "";
    for await (const piece of answer.textStream) text += piece;
    return [text, (await answer.usage).totalTokens];
  },
  async tools() {
    const answer = await generateText({ ...common, tools: { weather }, stopWhen: stepCountIs(3) });
    return [answer.steps[0].toolResults[0].output, answer.text];
  },
  async toolsInAStream() {
    const answer = streamText({ ...common, tools: { weather }, stopWhen: stepCountIs(3) });
    let text = "";
    for await (const piece of answer.textStream) text += piece;
    return text;
  },
  async schema() {
    const output = Output.object({ schema: z.object({ city: z.string() }) });
    return (await generateText({ ...common, output })).output;
  },
  async image() {
    const content = [
      { type: "text", text: "What is it?" },
      { type: "image", image: Buffer.from("iVBORw0KGgo=", "base64"), mediaType: "image/png" },
    ];
    return (await generateText({ model: venom(id), maxRetries: 0, messages: [{ role: "user", content }] })).text;
  },
  embeddings: async () =>
    (await embedMany({ model: venom.textEmbeddingModel(id), values: ["a", "abc"], maxRetries: 0 })).embeddings,
  refused: () => refusal(generateText(common)),
  async brokenOff() {
    const errors = [];
    const answer = streamText({ ...common, onError: ({ error }) => errors.push(error) });
    for await (const _ of answer.textStream);
    return errors.map((error) => String(error?.message ?? error));
  },
  async leave() {
    const stop = new AbortController();
    const answer = streamText({ ...common, abortSignal: stop.signal, onError: () => {} });
    for await (const piece of answer.textStream) {
      stop.abort();
      return piece;
    }
  },
};

cases[name]().then((told) => console.log(JSON.stringify(told)));
