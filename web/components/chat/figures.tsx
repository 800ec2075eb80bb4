"use client";

import { catalogue, findModel } from "@/lib/catalogue";
import type { AssistantMessage } from "@/lib/conversation";
import { useArea } from "@/lib/i18n/area";
import answers from "@/lib/i18n/areas/answers";
import { useStore } from "@/lib/store";

/** Who answered, where, and how fast. */
export function Figures({ message }: { message: AssistantMessage }) {
  const { t, format } = useArea(answers);
  const { models } = useStore(catalogue);
  const { stats = {}, model, stopped } = message;
  const record = model ? findModel(models, model) : undefined;
  const parts = [
    stopped && t.stopped,
    model,
    record && (record.runs_at ? t.made_at(record.runs_at) : t.made_here),
    stats.ttftMs !== undefined && t.first_token(format.duration(stats.ttftMs)),
    stats.tokensPerSecond !== undefined && t.tokens_per_second(format.rate(stats.tokensPerSecond)),
    stats.usage && t.token_count(stats.usage.completion_tokens, format.count(stats.usage.completion_tokens)),
  ].filter(Boolean);
  return <p data-testid="figures" className="text-xs text-soft [overflow-wrap:anywhere]">{parts.join(" · ")}</p>;
}
