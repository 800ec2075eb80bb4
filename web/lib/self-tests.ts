import { post } from "./api/request";
import { filled } from "./api/asking";
import type { Schemas } from "./api/types";
import { ApiError, errorFrom, isAbort, type ErrorRecord } from "./errors";
import { language } from "./i18n";
import { signedIn } from "./key";
import { namedEvents } from "./named-events";
import { outdated } from "./queries";
import { createStore } from "./store";

export type Row = Schemas["SelfTestRowView"];
export type Outcome = Row["outcome"];
export type Question = Pick<Row, "group" | "name">;

export const OUTCOMES = ["honoured", "emulated", "refused", "broken"] as const satisfies readonly Outcome[];

/** A self-test as far as it has come. */
export interface SelfTestRun {
  status: "running" | "done" | "cancelled" | "failed";
  /** What is asked, in this order; empty until the server has said. */
  questions: readonly Question[];
  rows: readonly Row[];
  error: ErrorRecord | null;
}

const BEGUN: SelfTestRun = { status: "running", questions: [], rows: [], error: null };

/** By the model's reference. They go on while this tab is open, whatever it shows. */
export const selfTests = createStore<Readonly<Record<string, SelfTestRun>>>({});

const controls = new Map<string, AbortController>();

/** What an event of the stream makes of a self-test. */
export function advanced(old: SelfTestRun, name: string | undefined, data: unknown): SelfTestRun {
  const told = data as Record<string, unknown>;
  if (name === "start") return { ...old, questions: told.questions as Question[] };
  if (name === "row") return { ...old, rows: [...old.rows, told as unknown as Row] };
  if (name === "error") throw errorFrom(told, 200, language.get());
  return name === "done" ? { ...old, status: "done" } : old;
}

/** Ask a model everything; ends in one of `done`, `cancelled` and `failed`. */
export async function startSelfTest(reference: string): Promise<void> {
  if (controls.has(reference)) return;
  const control = new AbortController();
  controls.set(reference, control);
  let now = BEGUN;
  const become = (next: SelfTestRun) => {
    now = next;
    if (controls.get(reference) === control) selfTests.set((all) => ({ ...all, [reference]: next }));
  };
  become(now);
  try {
    const path = filled("/api/v1/models/{name}/selftest/run", { path: { name: reference } });
    const response = await post(path, null, { signal: control.signal });
    for await (const [name, data] of namedEvents(response)) {
      // The table is there before anybody is told that the test is over.
      if (name === "done") await outdated("/api/v1/models");
      become(advanced(now, name, data));
    }
    if (now.status !== "done") throw new ApiError({ code: "client_incomplete", message: "the stream ended without done" });
  } catch (thrown) {
    if (isAbort(thrown) || control.signal.aborted) become({ ...now, status: "cancelled" });
    else {
      const error = thrown instanceof ApiError ? thrown : new ApiError({ code: "client_incomplete", message: String(thrown) });
      become({ ...now, status: "failed", error: error.record() });
    }
  } finally {
    if (controls.get(reference) === control) controls.delete(reference);
  }
}

/** Forget how one ended: whoever began it has seen it. */
export function settleSelfTest(reference: string): void {
  if (controls.has(reference)) return;
  selfTests.set(({ [reference]: _, ...others }) => others);
}

export function cancelSelfTest(reference: string): void {
  controls.get(reference)?.abort();
}

// What somebody else began is none of the one who signs in; what waited for the key goes on.
signedIn.subscribe(() => {
  const waiting = Object.entries(selfTests.get()).filter(([, run]) => run.status === "running" && run.questions.length === 0);
  const kept = new Set(waiting.map(([reference]) => reference));
  for (const [reference, control] of controls) {
    if (kept.has(reference)) continue;
    controls.delete(reference);
    control.abort();
  }
  selfTests.set(Object.fromEntries(waiting));
});

export interface Group {
  name: string;
  rows: Row[];
}

/** The rows by what they are about, in the order in which they were asked. */
export function grouped(rows: readonly Row[]): Group[] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) groups.set(row.group, [...(groups.get(row.group) ?? []), row]);
  return [...groups].map(([name, rows]) => ({ name, rows }));
}

export function counted(rows: readonly Row[]): [Outcome, number][] {
  const count = (outcome: Outcome) => rows.filter((row) => row.outcome === outcome).length;
  return OUTCOMES.map((outcome): [Outcome, number] => [outcome, count(outcome)]).filter(([, found]) => found > 0);
}
