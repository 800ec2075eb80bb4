"use client";

import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import type { Catalogue } from "@/lib/catalogue";
import { sendQuestion, stopAnswer } from "@/lib/chat";
import { useText } from "@/lib/i18n";
import { lazyPart } from "@/lib/lazy";
import { attachments } from "@/lib/options";
import { useStore } from "@/lib/store";
import { typed } from "@/lib/typed";
import { ArrowUpIcon, StopIcon } from "../ui/icons";

/** Files, the bar of the context and drafts: after the first paint. */
export const composerParts = lazyPart(() => import("./composer-parts"));

interface Props {
  stock: Catalogue;
  model: string | null;
  /** False where there is nothing that could answer. */
  able: boolean;
  busy: boolean;
  /** The conversation that it would go into is not there yet. */
  held: boolean;
  /** Another chat, or a first model: take the focus again. */
  chatId: string;
  /** Nothing was asked yet. */
  first: boolean;
}

const MAX_HEIGHT = 240;

/** The text stays in the DOM, not in React: however busy the page is, no keystroke waits for it. */
export function Composer({ stock, model, able, busy, held, chatId, first }: Props) {
  const { t } = useText();
  const parts = composerParts.use();
  const files = useStore(attachments);
  const area = useRef<HTMLTextAreaElement>(null);
  const [empty, setEmpty] = useState(true);

  const fit = () => {
    const element = area.current;
    if (!element) return;
    typed.set(element.value);
    setEmpty(element.value.trim() === "");
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight, MAX_HEIGHT)}px`;
  };
  useEffect(() => {
    // Another conversation has another draft.
    const show = () => {
      if (!area.current || area.current.value === typed.get()) return;
      area.current.value = typed.get();
      fit();
    };
    show();
    return typed.subscribe(show);
  }, []);
  useEffect(() => parts?.followChat(), [parts]);
  useEffect(() => {
    // A keyboard that pops up unasked is a nuisance on a touch screen.
    if (window.matchMedia("(pointer: fine)").matches) area.current?.focus({ preventScroll: true });
  }, [chatId, able]);

  // A text file is a question of its own, a picture is not.
  const unasked = empty && !files.some((one) => one.kind === "file");
  const send = () => {
    const element = area.current;
    if (!element || busy || held || !able || unasked) return;
    const text = element.value;
    element.value = "";
    fit();
    sendQuestion(text, { model, attachments: files });
    attachments.set([]);
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
      <div className="rounded-2xl border border-edge bg-raised p-2 shadow-sm transition-colors focus-within:border-accent">
        {parts && <parts.Attached area={area} stock={stock} model={model} />}
        <div className="flex items-end gap-2">
          {parts && <parts.AttachButton />}
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
              disabled={unasked || held || !able}
            >
              <ArrowUpIcon />
            </button>
          )}
        </div>
      </div>
      {parts && <parts.ContextBar stock={stock} model={model} onMoved={() => area.current?.focus()} />}
      <p id="keys-hint" className={first ? "pt-2 text-center text-xs text-soft max-sm:sr-only" : "sr-only"}>{t.keys_hint}</p>
    </form>
  );
}
