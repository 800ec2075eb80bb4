import type { SessionImport } from "./api/types";

/** Conversations as other programs export them, their branches too. What they mean is taken; nothing of it is trusted. */

type Json = Record<string, unknown>;
type Line = SessionImport["messages"][number];
type Said = Pick<Line, "role" | "content"> & { model?: string; at?: string };

/** A place in the tree of a conversation; null says that nothing of it is for people. */
interface Place {
  parent: string | null;
  said: Said | null;
}

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const objects = (value: unknown): [string, Json][] => Object.entries(isObject(value) ? value : {}).filter((one): one is [string, Json] => isObject(one[1]));

/** Seconds since 1970 as ISO 8601; both programs count so. */
function timeOf(seconds: unknown): string | undefined {
  const far = 253_402_300_800;
  return typeof seconds === "number" && seconds > 0 && seconds < far ? new Date(seconds * 1000).toISOString() : undefined;
}

/** What a message of ChatGPT says to people: the model's talk with its tools is left out. */
function saidByChatGpt(value: unknown): Said | null {
  if (!isObject(value) || !isObject(value.content) || !isObject(value.author)) return null;
  const { author, content, recipient, metadata } = value;
  const about = isObject(metadata) ? metadata : {};
  const type = content.content_type;
  if ((author.role !== "user" && author.role !== "assistant") || (type !== "text" && type !== "multimodal_text")) return null;
  if (about.is_visually_hidden_from_conversation === true || (recipient !== undefined && recipient !== "all")) return null;
  const words = (Array.isArray(content.parts) ? content.parts : []).map(text).join("\n").trim();
  if (words === "") return null;
  return { role: author.role, content: words, model: text(about.model_slug) || undefined, at: timeOf(value.create_time) };
}

function saidByOpenWebUi(value: Json): Said | null {
  const { role, content, model, timestamp } = value;
  if ((role !== "user" && role !== "assistant") || text(content).trim() === "") return null;
  return { role, content: text(content), model: role === "assistant" ? text(model) || undefined : undefined, at: timeOf(timestamp) };
}

/** The tree as the server takes it: each behind what it follows, the branch that was open last, so that it is the one that opens. */
function linesOf(places: Map<string, Place>, open: string, system: string): Line[] {
  const below = new Map<string | null, string[]>();
  for (const [id, { parent }] of places) {
    const over = parent !== null && places.has(parent) ? parent : null;
    below.set(over, [...(below.get(over) ?? []), id]);
  }
  const opened = new Set<string>();
  for (let at: string | null = open; at !== null && places.has(at) && !opened.has(at); at = places.get(at)?.parent ?? null) opened.add(at);
  const lines: Line[] = [];
  const add = (over: Line | null, { role, content, model, at }: Said): Line => {
    const line: Line = { id: String(lines.length + 1), parent_message_id: over?.id ?? null, role, content, model: model ?? null, created_at: at ?? null };
    lines.push(line);
    return line;
  };
  const first = system === "" ? null : add(null, { role: "system", content: system });
  const begun = (over: string | null): string[] => (below.get(over) ?? []).sort((one, other) => Number(opened.has(one)) - Number(opened.has(other)));
  // `alone`: nothing else follows what stands over it, so two answers in a row are one to its reader.
  const waiting = begun(null).reverse().map((id) => ({ id, over: first, alone: false }));
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    let { over, alone } = next;
    const said = places.get(next.id)?.said;
    if (said && alone && over?.role === "assistant" && said.role === "assistant") over.content += `\n\n${said.content}`;
    else if (said) {
      over = add(over, said);
      alone = true;
    }
    const children = begun(next.id);
    for (const id of children.reverse()) waiting.push({ id, over, alone: alone && children.length === 1 });
  }
  return lines;
}

function sessionOf(title: string, lines: Line[], times: { created?: string; updated?: string }): SessionImport {
  const made = { format: "venom-session", version: 1, pinned: false, title: title.slice(0, 200), messages: lines } as const;
  return { ...made, ...(times.created && { created_at: times.created }), ...(times.updated && { updated_at: times.updated }) };
}

/** A conversation of ChatGPT's `conversations.json`: a tree under `mapping`. Null where it is none. */
function fromChatGpt(value: Json): SessionImport | null {
  if (!isObject(value.mapping)) return null;
  const places = new Map(objects(value.mapping).map(([id, one]) => [id, { parent: text(one.parent) || null, said: saidByChatGpt(one.message) }]));
  return sessionOf(text(value.title), linesOf(places, text(value.current_node), ""), { created: timeOf(value.create_time), updated: timeOf(value.update_time) });
}

/** A chat of Open WebUI's export: a tree under `chat.history.messages`. Null where it is none. */
function fromOpenWebUi(value: Json): SessionImport | null {
  const { chat } = value;
  if (!isObject(chat) || !isObject(chat.history) || !isObject(chat.history.messages)) return null;
  const places = new Map(objects(chat.history.messages).map(([id, one]) => [id, { parent: text(one.parentId) || null, said: saidByOpenWebUi(one) }]));
  const system = isObject(chat.params) ? text(chat.params.system).trim() : "";
  const lines = linesOf(places, text(chat.history.currentId), system);
  return sessionOf(text(value.title) || text(chat.title), lines, { created: timeOf(value.created_at), updated: timeOf(value.updated_at) });
}

/** Whoever takes the same file in once more finds what is there already by its id. */
const idOf = (value: Json): string | null => [value.conversation_id, value.id].map(text).find((id) => /^[A-Za-z0-9_-]{1,64}$/.test(id)) ?? null;

/** The conversations of a file of ChatGPT or Open WebUI, without those that say nothing; null where the file is neither's. */
export function foreignSessions(found: unknown, newId: () => string): SessionImport[] | null {
  const all = (Array.isArray(found) ? found : [found]).filter(isObject);
  const taken = all.flatMap((one) => {
    const session = fromChatGpt(one) ?? fromOpenWebUi(one);
    return session ? [{ ...session, id: idOf(one) ?? newId() }] : [];
  });
  return taken.length === 0 ? null : taken.filter((one) => one.messages.some((line) => line.role !== "system"));
}
