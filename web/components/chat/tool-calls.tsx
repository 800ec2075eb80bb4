"use client";

import { useId, useState, type FormEvent } from "react";
import { sendQuestion } from "@/lib/chat";
import { useArea } from "@/lib/i18n/area";
import answers from "@/lib/i18n/areas/answers";
import { prettyArguments, type ToolCall } from "@/lib/tool-calls";
import { ToolIcon } from "./answer-icons";
import { CodeBlock } from "./code-block";

interface Props {
  calls: ToolCall[];
  live: boolean;
  /** Who goes on once the results are there; undefined where the conversation has gone on already. */
  asker?: { model: string | null };
}

/** What a model asks to be done, each call with its arguments, and a place for what came of it. */
export function ToolCalls({ calls, live, asker }: Props) {
  const { t } = useArea(answers);
  const [given, give] = useState<Record<number, string>>({});
  const help = useId();
  const goOn = (event: FormEvent) => {
    event.preventDefault();
    if (!asker) return;
    const results = calls.map(({ id, name }, at) => ({ id, name, content: given[at] ?? "" }));
    const text = results.map(({ name, content }) => `${name || t.tool_unnamed}: ${content}`).join("\n\n");
    sendQuestion(text, { model: asker.model, results });
  };
  return (
    <form className="space-y-4" onSubmit={goOn}>
      {calls.map((call, at) => {
        const name = call.name || t.tool_unnamed;
        const { text, json } = prettyArguments(call.arguments);
        return (
          <section key={at} aria-label={t.tool_call(name)} data-testid="tool-call" className="space-y-2">
            <h2 className="flex items-center gap-2 text-sm font-medium">
              <ToolIcon className="size-4 shrink-0 text-accent" />
              <span className="[overflow-wrap:anywhere]">{t.tool_call(name)}</span>
            </h2>
            {text.trim() === "" ? <p className="text-sm text-soft">{t.tool_nothing}</p> : <CodeBlock language={json ? "json" : ""} code={text} whole={!live} />}
            {asker && (
              <textarea
                lang=""
                rows={3}
                aria-label={t.tool_result(name)}
                aria-describedby={help}
                placeholder={t.tool_result(name)}
                className="field resize-y font-mono"
                value={given[at] ?? ""}
                onChange={(event) => give({ ...given, [at]: event.currentTarget.value })}
              />
            )}
          </section>
        );
      })}
      {asker && (
        <div className="flex flex-wrap items-center gap-3">
          <p id={help} className="flex-1 basis-60 text-xs text-soft">{t.tool_help}</p>
          <button type="submit" className="button-accent" disabled={calls.every((_, at) => !given[at]?.trim())}>
            {calls.length === 1 ? t.tool_send : t.tool_send_all}
          </button>
        </div>
      )}
    </form>
  );
}
