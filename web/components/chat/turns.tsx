"use client";

import { memo, useCallback, useMemo } from "react";
import { branchesAt, leafUnder, type Tree } from "@/lib/branches";
import { askAgain, showBranch, type ChatState } from "@/lib/chat";
import type { Beside } from "@/lib/chat-state";
import type { AssistantMessage } from "@/lib/conversation";
import { useArea } from "@/lib/i18n/area";
import answers from "@/lib/i18n/areas/answers";
import { idOf, keptPath } from "@/lib/keeping";
import { showBeside } from "@/lib/talk";
import { Answer } from "./answer";
import { AnswerActions } from "./answer-actions";
import { Question } from "./question";

/** What was said: the branch of the conversation that is on the screen. */
export function Turns({ state, model }: { state: ChatState; model: string | null }) {
  const { id, tree, messages } = state;
  const busy = state.phase !== "idle";
  const compare = useCallback((at: number, other: string | undefined) => showBeside(id, at, other), [id]);
  return messages.map((message, at) => {
    if (message.role !== "assistant") return <Question key={at} message={message} at={at} tree={tree} model={model} busy={busy} />;
    const last = at === messages.length - 1;
    const beside = state.beside?.at === at ? state.beside : undefined;
    return (
      <Turn
        key={at} message={message} at={at} tree={tree} model={model} busy={busy} live={busy && last && !message.at} last={last}
        queue={last ? state.queue : 0} beside={beside} onCompare={compare}
      />
    );
  });
}

interface TurnProps {
  message: AssistantMessage;
  at: number;
  tree: Tree;
  model: string | null;
  busy: boolean;
  live: boolean;
  last: boolean;
  queue?: number;
  beside?: Beside;
  onCompare: (at: number, other: string | undefined) => void;
}

/** An answer with what can be done with it, alone or beside another one to the same question. */
const Turn = memo(function Turn({ message, at, tree, model, busy, live, last, queue, beside: second, onCompare }: TurnProps) {
  const { t } = useArea(answers);
  const id = idOf(message);
  const found = useMemo(() => otherAnswer(tree, id, busy && last, second), [tree, id, busy, last, second]);
  const beside = found && { ...found, live: busy && last && !found.message.at };
  const asker = useMemo(() => ({ model }), [model]);
  const again = () => askAgain({ at: at - 1, model });
  const shown = (
    <Answer message={message} live={live} queue={queue} asker={last && !busy ? asker : undefined} onRetry={last && !busy ? again : undefined}>
      {!busy && <AnswerActions message={message} asked={at - 1} tree={tree} model={model} compared={beside !== null} onCompare={(chosen) => onCompare(at, chosen)} />}
    </Answer>
  );
  if (!beside) return shown;
  const goOnWithOther = () => {
    onCompare(at, id);
    void showBranch(leafUnder(tree, beside.id));
    document.getElementById("message")?.focus();
  };
  const columns = [
    <Column key="shown" chosen name={live ? message.model : undefined} note={t.go_on_here}>{shown}</Column>,
    <Column key="other" chosen={false} name={beside.live ? beside.message.model : undefined} note={t.go_on_with} onChoose={busy || beside.id === "" ? undefined : goOnWithOther}>
      <Answer message={beside.message} live={beside.live} queue={second?.queue} />
    </Column>,
  ];
  return (
    <section aria-label={t.compared} className="relative grid gap-4 md:left-1/2 md:w-[min(68rem,calc(100vw-20rem))] md:-translate-x-1/2 md:grid-cols-2">
      {beside.before ? columns.reverse() : columns}
    </section>
  );
});

/** The answer to show beside one; null where there is none, or it is that one itself. */
function otherAnswer(tree: Tree, id: string | undefined, busy: boolean, beside: Beside | undefined): { id: string; message: AssistantMessage; before: boolean } | null {
  if (beside === undefined || beside.other === id) return null;
  const { other, growing } = beside;
  if (growing) return { id: other, message: growing, before: false };
  const ids = branchesAt(tree, other)?.ids ?? [];
  // One that is being written is in no tree yet: it was asked to stand here.
  if (id !== undefined && !ids.includes(id)) return null;
  const message = keptPath([...tree], other).at(-1);
  if (message?.role !== "assistant") return null;
  return { id: other, message, before: id === undefined || busy || ids.indexOf(other) < ids.indexOf(id) };
}

interface ColumnProps {
  /** The conversation goes on from it. */
  chosen: boolean;
  /** Who is writing it: under one that has ended that is said anyway. */
  name?: string;
  note: string;
  onChoose?: () => void;
  children: React.ReactNode;
}

function Column({ chosen, name, note, onChoose, children }: ColumnProps) {
  return (
    <div className={`min-w-0 rounded-xl border p-4 ${chosen ? "border-accent" : "border-line"}`}>
      {name && <p className="pb-2 text-xs text-soft [overflow-wrap:anywhere]">{name}</p>}
      {children}
      {chosen ? (
        <p className="pt-3 text-xs text-accent">{note}</p>
      ) : (
        onChoose && <button type="button" className="button mt-3" onClick={onChoose}>{note}</button>
      )}
    </div>
  );
}
