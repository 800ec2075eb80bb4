"use client";

import { memo, useEffect, useState } from "react";
import type { AssistantMessage, SaidMessage } from "@/lib/conversation";
import { useText } from "@/lib/i18n";
import { lazyPart } from "@/lib/lazy";
import { CopyButton } from "../ui/copy-button";
import { ErrorNote } from "../ui/error-note";
import { RetryIcon } from "../ui/icons";

export const markdownPart = lazyPart(() => import("./markdown"));

export const Question = memo(function Question({ message }: { message: SaidMessage }) {
  const { t } = useText();
  if (message.role === "system") {
    return (
      <details className="text-sm text-soft">
        <summary className="w-fit rounded">{t.instructions}</summary>
        <p lang="" className="mt-2 border-l-2 border-line pl-4 leading-relaxed whitespace-pre-wrap">{message.content}</p>
      </details>
    );
  }
  return (
    <article aria-label={t.you} className="flex justify-end">
      <p className="max-w-[85%] rounded-2xl bg-sunken px-4 py-2.5 leading-relaxed [overflow-wrap:anywhere] whitespace-pre-wrap">
        {message.content}
      </p>
    </article>
  );
});

interface AnswerProps {
  message: AssistantMessage;
  /** It is being written right now. */
  live: boolean;
  /** Its place among those who wait. */
  queue?: number;
  /** Given for the last answer only. */
  onRegenerate?: () => void;
}

export const Answer = memo(function Answer({ message, live, queue = 0, onRegenerate }: AnswerProps) {
  const { t } = useText();
  const markdown = markdownPart.use();
  const { content, error } = message;
  return (
    <article aria-label={t.assistant} aria-busy={live} data-testid="answer" className="space-y-3">
      <Reasoning message={message} live={live} />
      {content !== "" && (
        <div lang="" data-testid="answer-text">
          {markdown ? <markdown.Markdown text={content} /> : <p className="leading-relaxed whitespace-pre-wrap">{content}</p>}
        </div>
      )}
      {live && content === "" && <Waiting queue={queue} />}
      {!live && <Ending message={message} />}
      {error && (
        <ErrorNote error={error}>
          {onRegenerate && <button type="button" className="button" onClick={onRegenerate}>{t.retry}</button>}
        </ErrorNote>
      )}
      {!live && (content !== "" || !error) && (
        <div className="flex flex-wrap items-center gap-x-1 gap-y-1.5">
          {content !== "" && <CopyButton text={content} label={t.copy} className="-ml-2" />}
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
  const { t } = useText();
  if (message.note) return <p lang="en" data-testid="ending" className="text-sm text-warn">{message.note}</p>;
  return message.finish === "length" && <p data-testid="ending" className="text-sm text-warn">{t.cut_by_length}</p>;
}

const PATIENCE_MS = 2500;

/** Nothing has come yet: others are before it, or after a while it says why that may be. */
function Waiting({ queue }: { queue: number }) {
  const { t } = useText();
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

function Reasoning({ message, live }: { message: AssistantMessage; live: boolean }) {
  const { t } = useText();
  if (!message.reasoning) return null;
  const still = live && message.content === "";
  return (
    <details className="text-sm text-soft" open={still}>
      <summary className="w-fit rounded">{still ? `${t.thinking}…` : t.thoughts}</summary>
      <p lang="" className="mt-2 border-l-2 border-line pl-4 leading-relaxed whitespace-pre-wrap">{message.reasoning}</p>
    </details>
  );
}

/** Who answered and how fast. */
function Figures({ message }: { message: AssistantMessage }) {
  const { t, format } = useText();
  const { stats = {}, model, stopped } = message;
  const parts = [
    stopped && t.stopped,
    model,
    stats.ttftMs !== undefined && t.first_token(format.duration(stats.ttftMs)),
    stats.tokensPerSecond !== undefined && t.tokens_per_second(format.rate(stats.tokensPerSecond)),
    stats.usage && t.token_count(stats.usage.completion_tokens, format.count(stats.usage.completion_tokens)),
  ].filter(Boolean);
  return <p data-testid="figures" className="px-1 text-xs text-soft [overflow-wrap:anywhere]">{parts.join(" · ")}</p>;
}
