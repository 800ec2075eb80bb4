"use client";

import { useArea } from "@/lib/i18n/area";
import answers from "@/lib/i18n/areas/answers";
import { prettyArguments, type ToolCall } from "@/lib/tool-calls";
import { ToolIcon } from "./answer-icons";
import { CodeBlock } from "./code-block";

/** What a model asks to be done, each call with its arguments. */
export function ToolCalls({ calls, live }: { calls: ToolCall[]; live: boolean }) {
  const { t } = useArea(answers);
  return calls.map((call, at) => {
    const name = call.name || t.tool_unnamed;
    const { text, json } = prettyArguments(call.arguments);
    return (
      <section key={at} aria-label={t.tool_call(name)} data-testid="tool-call" className="space-y-2">
        <h3 className="flex items-center gap-2 text-sm font-medium">
          <ToolIcon className="size-4 shrink-0 text-accent" />
          <span className="[overflow-wrap:anywhere]">{t.tool_call(name)}</span>
        </h3>
        {text.trim() === "" ? <p className="text-sm text-soft">{t.tool_nothing}</p> : <CodeBlock language={json ? "json" : ""} code={text} whole={!live} />}
      </section>
    );
  });
}
