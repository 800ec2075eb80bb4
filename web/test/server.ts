import assert from "node:assert/strict";
import type { MessageRecord, SessionRecord } from "../lib/api/types";

interface Asked {
  method: string;
  path: string;
  body: Record<string, unknown>;
}

/** Conversations of a server in memory, behind `fetch`; what it is asked, and what it refuses. */
export class MemoryServer {
  readonly kept = new Map<string, { session: SessionRecord; messages: MessageRecord[] }>();
  readonly asked: Asked[] = [];
  /** Called before each request; what it returns or throws is the answer in its place. */
  refuse: (asked: Asked) => Response | null = () => null;
  /** The same after the request was done: its answer is lost. */
  lose: (asked: Asked) => boolean = () => false;
  private count = 0;

  constructor() {
    globalThis.fetch = async (path, init) => {
      const asked = { method: init?.method ?? "GET", path: String(path), body: init?.body ? JSON.parse(String(init.body)) : {} };
      this.asked.push(asked);
      const answer = this.refuse(asked) ?? this.answer(asked);
      if (this.lose(asked)) throw new TypeError("Failed to fetch");
      return answer;
    };
  }

  methods(): string[] {
    return this.asked.map((one) => one.method);
  }

  contents(id: string): string[] {
    return this.kept.get(id)?.messages.map((one) => one.content) ?? [];
  }

  private now(): string {
    this.count += 1;
    return `2026-11-05T10:00:00.${String(this.count).padStart(6, "0")}Z`;
  }

  add(id: string, title: string, ...said: string[]): void {
    const found = this.make(id, title);
    let parent: string | null = null;
    said.forEach((content, at) => (parent = this.append(found, at % 2 ? "assistant" : "user", content, parent)));
  }

  private make(id: string, title: string) {
    const at = this.now();
    const made = { session: { id, title, pinned: false, created_at: at, updated_at: at, messages: 0 }, messages: [] as MessageRecord[] };
    this.kept.set(id, made);
    return made;
  }

  private append(found: ReturnType<MemoryServer["make"]>, role: MessageRecord["role"], content: string, parent: string | null, more = {}): string {
    const at = this.now();
    const id = `m${this.count}`;
    found.messages.push({ id, parent_message_id: parent, role, content, model: null, details: null, created_at: at, ...more });
    found.session.messages += 1;
    found.session.updated_at = at;
    return id;
  }

  private answer({ method, path, body }: Asked): Response {
    const url = new URL(path, "http://x");
    const [id = "", verb] = url.pathname.replace(/^\/api\/v1\/sessions\/?/, "").split("/");
    if (id === "") {
      const limit = Number(url.searchParams.get("limit"));
      const offset = Number(url.searchParams.get("offset"));
      const all = [...this.kept.values()].map((one) => one.session).sort((a, b) => (a.updated_at < b.updated_at ? 1 : -1));
      return Response.json({ success: true, sessions: all.slice(offset, offset + limit) });
    }
    if (id === "import") return this.taken(body);
    let found = this.kept.get(id);
    if (verb === "messages" && body.parent_message_id === "root") found ??= this.make(id, String(body.question));
    if (!found) return refusal(404, "session_not_found");
    if (method === "DELETE") this.kept.delete(id);
    if (verb === "change") found.session.title = String(body.title);
    if (verb !== "messages") return Response.json({ success: true, ...found });
    const parent = body.parent_message_id === "root" ? null : String(body.parent_message_id);
    const question_id = this.append(found, "user", String(body.question), parent);
    const message_id = this.append(found, "assistant", String(body.answer), question_id, { details: body.details });
    return Response.json({ success: true, session: { ...found.session }, question_id, message_id });
  }

  private taken(body: Record<string, unknown>): Response {
    const id = String(body.id);
    if (this.kept.has(id)) return refusal(409, "session_exists");
    const found = this.make(id, String(body.title));
    let parent: string | null = null;
    for (const one of body.messages as MessageRecord[]) {
      assert.equal(one.parent_message_id === null, parent === null);
      parent = this.append(found, one.role, one.content, parent, { details: one.details });
    }
    if (typeof body.updated_at === "string") found.session.updated_at = body.updated_at;
    return Response.json({ success: true, session: found.session });
  }
}

export function refusal(status: number, code: string): Response {
  return Response.json({ detail: `It is ${code}.`, code, fix: null, docs: null }, { status });
}
