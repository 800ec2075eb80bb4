"use client";

import { memo, useEffect, useState, type ReactNode } from "react";
import type { AssistantMessage } from "@/lib/conversation";
import { useArea } from "@/lib/i18n/area";
import answers from "@/lib/i18n/areas/answers";
import { lazyPart } from "@/lib/lazy";
import { ErrorNote } from "../ui/error-note";
import { Figures } from "./figures";
import { FixButtons } from "./fix-buttons";
import { Reasoning } from "./reasoning";
import { ToolCalls } from "./tool-calls";

export const markdownPart = lazyPart(() => import("./markdown"));

interface Props {
  message: AssistantMessage;
  /** It is being written right now. */
  live: boolean;
  /** Its place among those who wait. */
  queue?: number;
  /** Who goes on with the results of its calls; given for the last answer only. */
  asker?: { model: string | null };
  /** Given where it can be asked again. */
  onRetry?: () => void;
  /** What can be done with it. */
  children?: ReactNode;
}

export function Answer({ message, live, queue = 0, asker, onRetry, children }: Props) {
  const { t } = useArea(answers);
  const { content, error, toolCalls } = message;
  const silent = content === "" && !toolCalls;
  return (
    <article aria-label={t.assistant} aria-busy={live} data-testid="answer" className="min-w-0 space-y-3">
      <Reasoning message={message} live={live} />
      {content !== "" && <Words text={content} />}
      {toolCalls && <ToolCalls calls={toolCalls} live={live} asker={live ? undefined : asker} />}
      {live && silent && <Waiting queue={queue} />}
      {!live && <Ending message={message} />}
      {error && (
        <ErrorNote error={error}>
          {onRetry && <FixButtons error={error} onRetry={onRetry} />}
        </ErrorNote>
      )}
      {!live && (!silent || !error) && <Figures message={message} />}
      {!live && children}
    </article>
  );
}

const Words = memo(function Words({ text }: { text: string }) {
  const markdown = markdownPart.use();
  return (
    <div lang="" data-testid="answer-text">
      {markdown ? <markdown.Markdown text={text} /> : <p className="leading-relaxed whitespace-pre-wrap">{text}</p>}
    </div>
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
