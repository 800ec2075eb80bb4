"use client";

import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { sendQuestion, stopAnswer } from "@/lib/chat";
import { useText } from "@/lib/i18n";
import { ArrowUpIcon, StopIcon } from "../ui/icons";

interface Props {
  model: string | null;
  /** False where there is nothing that could answer. */
  able: boolean;
  busy: boolean;
  /** The conversation that it would go into is not there yet. */
  held: boolean;
  /** Another chat, or a first model: take the focus again. */
  chatId: string;
}

/** What was written but not sent; it survives a look at another page. */
let draft = "";
const MAX_HEIGHT = 240;

/** The text stays in the DOM, not in React: however busy the page is, no keystroke waits for it. */
export function Composer({ model, able, busy, held, chatId }: Props) {
  const { t } = useText();
  const area = useRef<HTMLTextAreaElement>(null);
  const [empty, setEmpty] = useState(true);

  const fit = () => {
    const element = area.current;
    if (!element) return;
    draft = element.value;
    setEmpty(draft.trim() === "");
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight, MAX_HEIGHT)}px`;
  };
  useEffect(() => {
    if (area.current && draft && !area.current.value) area.current.value = draft;
    fit();
  }, []);
  useEffect(() => {
    // A keyboard that pops up unasked is a nuisance on a touch screen.
    if (window.matchMedia("(pointer: fine)").matches) area.current?.focus({ preventScroll: true });
  }, [chatId, able]);

  const send = () => {
    const element = area.current;
    if (!element || busy || held || !able || element.value.trim() === "") return;
    const text = element.value;
    element.value = "";
    fit();
    sendQuestion(text, { model });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      className="mx-auto w-full max-w-3xl px-4 pt-2 pb-3 sm:px-6 sm:pb-4"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="flex items-end gap-2 rounded-2xl border border-edge bg-raised p-2 shadow-sm transition-colors focus-within:border-accent">
        <textarea
          id="message"
          ref={area}
          rows={1}
          aria-label={t.message}
          aria-describedby="keys-hint"
          placeholder={able ? t.message_placeholder : t.message_placeholder_no_model}
          className="min-h-9 flex-1 resize-none bg-transparent px-2 py-1.5 text-base leading-6 outline-none placeholder:text-soft"
          onInput={fit}
          onKeyDown={onKeyDown}
        />
        {busy ? (
          <button type="button" className="flex size-9 shrink-0 items-center justify-center rounded-xl bg-ink text-page" aria-label={t.stop} title={t.stop} onClick={stopAnswer}>
            <StopIcon />
          </button>
        ) : (
          <button
            type="submit"
            className="flex size-9 shrink-0 items-center justify-center rounded-xl bg-accent text-on-accent transition-colors hover:bg-accent-strong disabled:bg-sunken disabled:text-soft"
            aria-label={t.send}
            title={t.send}
            disabled={empty || held || !able}
          >
            <ArrowUpIcon />
          </button>
        )}
      </div>
      <p id="keys-hint" className="pt-2 text-center text-xs text-soft max-sm:sr-only">{t.keys_hint}</p>
    </form>
  );
}
