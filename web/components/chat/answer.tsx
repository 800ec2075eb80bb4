"use client";

import { memo, useEffect, useState } from "react";
import type { AssistantMessage } from "@/lib/conversation";
import { useText } from "@/lib/i18n";
import { useArea } from "@/lib/i18n/area";
import answers from "@/lib/i18n/areas/answers";
import { lazyPart } from "@/lib/lazy";
import { CopyButton } from "../ui/copy-button";
import { ErrorNote } from "../ui/error-note";
import { RetryIcon } from "../ui/icons";
import { Figures } from "./figures";
import { Reasoning } from "./reasoning";
import { ToolCalls } from "./tool-calls";

export const markdownPart = lazyPart(() => import("./markdown"));

interface Props {
  message: AssistantMessage;
  /** It is being written right now. */
  live: boolean;
  /** Its place among those who wait. */
  queue?: number;
  /** Given for the last answer only. */
  onRegenerate?: () => void;
}

export const Answer = memo(function Answer({ message, live, queue = 0, onRegenerate }: Props) {
  const { t: common } = useText();
  const { t } = useArea(answers);
  const markdown = markdownPart.use();
  const { content, error, toolCalls = [] } = message;
  const silent = content === "" && toolCalls.length === 0;
  return (
    <article aria-label={t.assistant} aria-busy={live} data-testid="answer" className="space-y-3">
      <Reasoning message={message} live={live} />
      {content !== "" && (
        <div lang="" data-testid="answer-text">
          {markdown ? <markdown.Markdown text={content} /> : <p className="leading-relaxed whitespace-pre-wrap">{content}</p>}
        </div>
      )}
      <ToolCalls calls={toolCalls} live={live} />
      {live && silent && <Waiting queue={queue} />}
      {!live && <Ending message={message} />}
      {error && (
        <ErrorNote error={error}>
          {onRegenerate && <button type="button" className="button" onClick={onRegenerate}>{common.retry}</button>}
        </ErrorNote>
      )}
      {!live && (!silent || !error) && (
        <div className="flex flex-wrap items-center gap-x-1 gap-y-1.5">
          {content !== "" && <CopyButton text={content} label={t.copy_answer} className="-ml-2" />}
          {onRegenerate && !error && (
            <button type="button" className="button-quiet" aria-label={t.regenerate} title={t.regenerate} onClick={onRegenerate}>
              <RetryIcon />
            </button>
          )}
          <Figures message={message} />
        </div>
      )}
    </article>
  );
});

/** Why an answer ended, where that is not plain: the server's own sentence, else that it was cut. */
function Ending({ message }: { message: AssistantMessage }) {
  const { t } = useArea(answers);
  if (message.note) return <p lang="en" data-testid="ending" className="text-sm text-warn">{message.note}</p>;
  return message.finish === "length" && <p data-testid="ending" className="text-sm text-warn">{t.cut_by_length}</p>;
}

const PATIENCE_MS = 2500;

/** Nothing has come yet: others are before it, or after a while it says why that may be. */
function Waiting({ queue }: { queue: number }) {
  const { t } = useArea(answers);
  const [long, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <p className="flex items-center gap-3 py-1 text-sm text-soft">
      <span className="caret" /> {queue > 0 ? t.waiting_queue(queue) : long && t.waiting_long}
    </p>
  );
}
