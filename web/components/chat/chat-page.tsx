"use client";

import { useEffect } from "react";
import { catalogue, chosenModel, modelInUse } from "@/lib/catalogue";
import { chat, loadTalk, stopAnswer } from "@/lib/chat";
import type { Message } from "@/lib/conversation";
import { useText } from "@/lib/i18n";
import { whenIdle } from "@/lib/lazy";
import { useStore } from "@/lib/store";
import { connectPart, ConnectButton, GetModelLink } from "../models/connect-button";
import { ModelPicker, modelListPart } from "../models/model-picker";
import { MenuButton } from "../shell/shell";
import { ArrowDownIcon } from "../ui/icons";
import { Announcer } from "./announcer";
import { Composer, composerParts } from "./composer";
import { NotKept, NotOpened } from "./not-kept";
import { BesideSettings, SettingsButton } from "./settings-button";
import { useStickToEnd } from "./stick-to-end";
import { loadTurns, turnsPart } from "./turns-part";
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
      void loadTalk();
      void loadTurns();
      void modelListPart.load();
      void connectPart.load();
      void composerParts.load();
    });
  }, []);
  useEscape(busy);

  const turns = turnsPart.use();
  useEffect(() => {
    if (!empty) void loadTurns();
  }, [empty]);
  // Until the server has been heard, sending is allowed: the answer will say what is wrong.
  const able = model !== null || stock.models === null;
  return (
    <BesideSettings stock={stock} model={model}>
      <header className="flex h-14 shrink-0 items-center gap-2 px-3 sm:px-4">
        <MenuButton />
        <ModelPicker stock={stock} model={model} />
        <div className="flex-1" />
        <GetModelLink />
        <SettingsButton />
        <ConnectButton model={model} />
      </header>
      <main id="content" tabIndex={-1} className={`relative flex min-h-0 flex-1 flex-col outline-none ${first ? "sm:justify-center sm:pb-[12vh]" : ""}`}>
        <h1 className="sr-only">Venom</h1>
        <div ref={scroller} className={`min-h-0 overflow-y-auto ${first ? "max-sm:flex-1" : "flex-1"}`}>
          <section ref={content} aria-label={t.conversation} className="mx-auto max-w-3xl space-y-7 px-4 pt-4 pb-8 sm:px-6">
            {state.reading && <p role="status" className="text-sm text-soft">{t.chat_reading}…</p>}
            {state.error && <NotOpened error={state.error} />}
            {empty && !state.reading && !state.error && <Welcome stock={stock} model={model} />}
            {turns ? <turns.Turns state={state} model={model} /> : <PlainTurns messages={state.messages} />}
          </section>
        </div>
        <div className="relative">
          {!atEnd && !empty && (
            <button type="button" className="button absolute bottom-full left-1/2 mb-3 size-9 -translate-x-1/2 rounded-full p-0 shadow-md" aria-label={t.latest} title={t.latest} onClick={toEnd}>
              <ArrowDownIcon />
            </button>
          )}
          {state.unkept && <NotKept refusal={state.unkept} />}
          <Composer stock={stock} first={empty} model={model} able={able} busy={busy} held={!!state.reading || !!state.error} chatId={state.id} />
        </div>
      </main>
      <Announcer state={state} />
    </BesideSettings>
  );
}

/** The words alone, until the script that shows them well is there. */
function PlainTurns({ messages }: { messages: Message[] }) {
  return messages.map(({ content }, at) => <p key={at} lang="" className="leading-relaxed whitespace-pre-wrap">{content}</p>);
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
