"use client";

import { memo, useRef, useState, type KeyboardEvent } from "react";
import { splitFiles } from "@/lib/attachments";
import { branchesAt, type Tree } from "@/lib/branches";
import { askAgain } from "@/lib/chat";
import type { SaidMessage } from "@/lib/conversation";
import { useText } from "@/lib/i18n";
import { useArea } from "@/lib/i18n/area";
import answers from "@/lib/i18n/areas/answers";
import { idOf } from "@/lib/keeping";
import { PencilIcon } from "../ui/icons";
import { BranchArrows } from "./branch-arrows";

interface Props {
  message: SaidMessage;
  /** Its place in the branch. */
  at: number;
  tree: Tree;
  /** Who answers where it is asked in other words. */
  model: string | null;
  /** An answer is being written. */
  busy: boolean;
}

export const Question = memo(function Question({ message, at, tree, model, busy }: Props) {
  const { t } = useArea(answers);
  const [editing, edit] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const { role, content, images, results } = message;
  const { words, files } = splitFiles(content);
  if (role === "system") {
    return (
      <details className="text-sm text-soft">
        <summary className="w-fit rounded">{t.instructions}</summary>
        <p lang="" className="mt-2 border-l-2 border-line pl-4 leading-relaxed whitespace-pre-wrap">{content}</p>
      </details>
    );
  }
  const branches = busy ? null : branchesAt(tree, idOf(message));
  const close = () => {
    edit(false);
    requestAnimationFrame(() => opener.current?.focus());
  };
  return (
    <article aria-label={t.you} className="flex flex-col items-end gap-1">
      {images && (
        <ul aria-label={t.images} className="flex max-w-[85%] flex-wrap justify-end gap-2">
          {images.map((image, place) => (
            <li key={place}><img src={image.data} alt={image.name} className="max-h-48 max-w-full rounded-xl border border-line object-contain" /></li>
          ))}
        </ul>
      )}
      {results ? <Results results={results} /> : editing ? (
        <Editor text={content} onEnd={close} onAsk={(text) => { edit(false); askAgain({ at, model, text }); document.getElementById("message")?.focus(); }} />
      ) : (
        words !== "" && <p lang="" className="max-w-[85%] rounded-2xl bg-sunken px-4 py-2.5 leading-relaxed [overflow-wrap:anywhere] whitespace-pre-wrap">{words}</p>
      )}
      {!editing && files.map((file, place) => (
        <details key={place} className="card w-fit max-w-[85%] px-4 py-2 text-sm">
          <summary className="rounded font-medium [overflow-wrap:anywhere]">{file.name}</summary>
          <pre tabIndex={0} lang="" aria-label={file.name} role="region" className="mt-2 max-h-80 overflow-auto font-mono text-[0.8125rem] leading-relaxed">{file.text}</pre>
        </details>
      ))}
      {!busy && !editing && (
        <div className="flex items-center">
          {branches && <BranchArrows tree={tree} branches={branches} label={t.branches_question} />}
          {!results && (
            <button ref={opener} type="button" className="button-quiet" aria-label={t.edit} title={t.edit} onClick={() => edit(true)}>
              <PencilIcon />
            </button>
          )}
        </div>
      )}
    </article>
  );
});

function Editor({ text, onAsk, onEnd }: { text: string; onAsk: (text: string) => void; onEnd: () => void }) {
  const { t: common } = useText();
  const { t } = useArea(answers);
  const [now, set] = useState(text);
  const able = now.trim() !== "" && now !== text;
  const ask = () => able && onAsk(now.trim());
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      event.preventDefault();
      onEnd();
    } else if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      ask();
    }
  };
  return (
    <form className="w-full space-y-2" onSubmit={(event) => { event.preventDefault(); ask(); }}>
      <textarea
        lang=""
        autoFocus
        rows={Math.min(12, now.split("\n").length + 1)}
        aria-label={t.edit_label}
        value={now}
        className="field resize-y leading-relaxed"
        onChange={(event) => set(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        onFocus={(event) => event.currentTarget.setSelectionRange(text.length, text.length)}
      />
      <div className="flex flex-wrap items-center justify-end gap-2">
        <p className="flex-1 text-xs text-soft">{t.edit_note}</p>
        <button type="button" className="button" onClick={onEnd}>{common.cancel}</button>
        <button type="submit" className="button-accent" disabled={!able}>{t.edit_send}</button>
      </div>
    </form>
  );
}

/** What was given by hand for the calls of the answer before. */
function Results({ results }: { results: NonNullable<SaidMessage["results"]> }) {
  const { t } = useArea(answers);
  return results.map((result) => {
    const label = t.tool_given(result.name || t.tool_unnamed);
    return (
      <section key={result.id} aria-label={label} className="card w-full max-w-[85%] px-4 py-3 text-sm">
        <h3 className="pb-1 text-xs font-medium text-soft">{label}</h3>
        <pre tabIndex={0} lang="" className="max-h-60 overflow-auto font-mono text-[0.8125rem] leading-relaxed [overflow-wrap:anywhere] whitespace-pre-wrap">{result.content}</pre>
      </section>
    );
  });
}
