"use client";

import { useCallback, useEffect } from "react";
import { catalogue, chosenModel, modelInUse } from "@/lib/catalogue";
import { chat, loadTalk, regenerate, stopAnswer } from "@/lib/chat";
import { useText } from "@/lib/i18n";
import { whenIdle } from "@/lib/lazy";
import { useStore } from "@/lib/store";
import { connectPart, ConnectButton } from "../models/connect-button";
import { ModelPicker, modelListPart } from "../models/model-picker";
import { MenuButton } from "../shell/shell";
import { ArrowDownIcon } from "../ui/icons";
import { Announcer } from "./announcer";
import { Composer } from "./composer";
import { Answer, markdownPart, Question } from "./message";
import { NotKept, NotOpened } from "./not-kept";
import { useStickToEnd } from "./stick-to-end";
import { Welcome } from "./welcome";

export function ChatPage() {
  const { t } = useText();
  const state = useStore(chat);
  const stock = useStore(catalogue);
  const model = modelInUse(stock, useStore(chosenModel));
  const busy = state.phase !== "idle";
  const empty = state.messages.length === 0;
  const first = empty && model !== null && !state.reading && !state.error;
  const { scroller, content, atEnd, toEnd } = useStickToEnd(state.messages.length);

  useEffect(() => {
    whenIdle(() => {
      void markdownPart.load();
      void loadTalk();
      void modelListPart.load();
      void connectPart.load();
    });
  }, []);
  useEscape(busy);

  const again = useCallback(() => regenerate(model), [model]);
  // Until the server has been heard, sending is allowed: the answer will say what is wrong.
  const able = model !== null || stock.models === null;
  return (
    <>
      <header className="flex h-14 shrink-0 items-center gap-2 px-3 sm:px-4">
        <MenuButton />
        <ModelPicker stock={stock} model={model} />
        <div className="flex-1" />
        <ConnectButton model={model} />
      </header>
      <main id="content" tabIndex={-1} className={`relative flex min-h-0 flex-1 flex-col outline-none ${first ? "sm:justify-center sm:pb-[12vh]" : ""}`}>
        <h1 className="sr-only">Venom</h1>
        <div ref={scroller} className={`min-h-0 overflow-y-auto ${first ? "max-sm:flex-1" : "flex-1"}`}>
          <section ref={content} aria-label={t.conversation} className="mx-auto max-w-3xl space-y-7 px-4 pt-4 pb-8 sm:px-6">
            {state.reading && <p role="status" className="text-sm text-soft">{t.chat_reading}…</p>}
            {state.error && <NotOpened error={state.error} />}
            {empty && !state.reading && !state.error && <Welcome stock={stock} model={model} />}
            {state.messages.map((message, at) => {
              const last = at === state.messages.length - 1;
              if (message.role !== "assistant") return <Question key={at} message={message} />;
              return <Answer key={at} message={message} live={busy && last} queue={last ? state.queue : 0} onRegenerate={last && !busy ? again : undefined} />;
            })}
          </section>
        </div>
        <div className="relative">
          {!atEnd && !empty && (
            <button type="button" className="button absolute bottom-full left-1/2 mb-3 size-9 -translate-x-1/2 rounded-full p-0 shadow-md" aria-label={t.latest} title={t.latest} onClick={toEnd}>
              <ArrowDownIcon />
            </button>
          )}
          {state.unkept && <NotKept refusal={state.unkept} />}
          <Composer model={model} able={able} busy={busy} held={!!state.reading || !!state.error} chatId={state.id} />
        </div>
      </main>
      <Announcer state={state} />
    </>
  );
}

/** Esc stops the answer from anywhere, unless something open on the page takes the key. */
function useEscape(busy: boolean): void {
  useEffect(() => {
    if (!busy) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      if (document.querySelector("dialog[open], [role=listbox]")) return;
      stopAnswer();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [busy]);
}
