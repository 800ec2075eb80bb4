"use client";

import { useEffect, useRef, useState } from "react";
import type { ChatState } from "@/lib/chat";
import { useText } from "@/lib/i18n";
import { spoken } from "@/lib/plain";

const SPOKEN_CHARACTERS = 600;

/**
 * Tells those who do not see the page that an answer started, and what it was once it is there:
 * two announcements, however many pieces it came in. The rest of a long one is read on the page.
 */
export function Announcer({ state }: { state: ChatState }) {
  const { t } = useText();
  const [said, say] = useState("");
  const before = useRef(state);
  useEffect(() => {
    const old = before.current;
    before.current = state;
    if (old.id !== state.id && old.phase === "idle" && state.phase === "idle") return say("");
    if (old.phase === "idle" && state.phase !== "idle") return say(t.said_started);
    if (old.phase === "idle" || state.phase !== "idle") return;
    const last = state.messages.at(-1);
    if (last?.role !== "assistant") return;
    if (last.error) return say(`${t.said_error} ${last.error.message} ${last.error.fix ?? ""}`);
    if (last.stopped) return say(t.said_stopped);
    const { text, whole } = spoken(last.content, SPOKEN_CHARACTERS);
    say(`${t.said_finished} ${text}${whole ? "" : `… ${t.said_rest}`}`);
  }, [state, t]);
  return (
    <p role="status" aria-live="polite" data-testid="announcer" className="sr-only">
      {said}
    </p>
  );
}
