"use client";

import { useState } from "react";
import type { AssistantMessage } from "@/lib/conversation";
import { useArea } from "@/lib/i18n/area";
import answers from "@/lib/i18n/areas/answers";

/** What a model thought before it answered, folded; while it thinks, for how long it does. */
export function Reasoning({ message, live }: { message: AssistantMessage; live: boolean }) {
  const { t, format } = useArea(answers);
  const [open, setOpen] = useState(false);
  const { reasoning, reasoningMs, content, toolCalls } = message;
  if (!reasoning) return null;
  const still = live && content === "" && !toolCalls;
  const took = reasoningMs ? t.thoughts_time(format.duration(still ? Math.floor(reasoningMs / 1000) * 1000 : reasoningMs)) : t.thoughts;
  return (
    <details className="text-sm text-soft" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="w-fit rounded">
        {still ? `${t.thinking}…` : took} {still && <span className="caret" />}
      </summary>
      {open && <p lang="" className="mt-2 border-l-2 border-line pl-4 leading-relaxed [overflow-wrap:anywhere] whitespace-pre-wrap">{reasoning}</p>}
    </details>
  );
}
