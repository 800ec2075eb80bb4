"use client";

import { memo } from "react";
import type { SaidMessage } from "@/lib/conversation";
import { useArea } from "@/lib/i18n/area";
import answers from "@/lib/i18n/areas/answers";

interface Props {
  message: SaidMessage;
}

export const Question = memo(function Question({ message }: Props) {
  const { t } = useArea(answers);
  const { role, content, results } = message;
  if (role === "system") {
    return (
      <details className="text-sm text-soft">
        <summary className="w-fit rounded">{t.instructions}</summary>
        <p lang="" className="mt-2 border-l-2 border-line pl-4 leading-relaxed whitespace-pre-wrap">{content}</p>
      </details>
    );
  }
  return (
    <article aria-label={t.you} className="flex flex-col items-end gap-1">
      {results ? (
        results.map((result) => (
          <section key={result.id} aria-label={t.tool_given(result.name || t.tool_unnamed)} className="card w-full max-w-[85%] px-4 py-3 text-sm">
            <h3 className="pb-1 text-xs font-medium text-soft">{t.tool_given(result.name || t.tool_unnamed)}</h3>
            <pre tabIndex={0} lang="" className="max-h-60 overflow-auto font-mono text-[0.8125rem] leading-relaxed [overflow-wrap:anywhere] whitespace-pre-wrap">{result.content}</pre>
          </section>
        ))
      ) : (
        <p lang="" className="max-w-[85%] rounded-2xl bg-sunken px-4 py-2.5 leading-relaxed [overflow-wrap:anywhere] whitespace-pre-wrap">{content}</p>
      )}
    </article>
  );
});
