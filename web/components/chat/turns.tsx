"use client";

import { useCallback } from "react";
import { regenerate, type ChatState } from "@/lib/chat";
import { Answer } from "./answer";
import { Question } from "./question";

/** What was said: the branch of the conversation that is on the screen. */
export function Turns({ state, model }: { state: ChatState; model: string | null }) {
  const busy = state.phase !== "idle";
  const again = useCallback(() => regenerate(model), [model]);
  return state.messages.map((message, at) => {
    const last = at === state.messages.length - 1;
    if (message.role !== "assistant") return <Question key={at} message={message} />;
    return <Answer key={at} message={message} live={busy && last} queue={last ? state.queue : 0} onRegenerate={last && !busy ? again : undefined} />;
  });
}

