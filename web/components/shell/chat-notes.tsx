"use client";

import { useEffect, useRef, useState, type ReactNode, type RefObject } from "react";
import { chats, refreshChats } from "@/lib/chats";
import { CLIENT_CODES, type ErrorRecord } from "@/lib/errors";
import { useText } from "@/lib/i18n";
import { allowAsking } from "@/lib/key";
import { holdRemoval, resumeRemoval, undoRemoval } from "@/lib/removal";
import { removal } from "@/lib/removed";
import { useStore } from "@/lib/store";
import { forgetOld, takeOver } from "@/lib/takeover";
import { untaken } from "@/lib/untaken";
import { Fix } from "../ui/sentence";

const NOTE = "mb-2 rounded-lg border border-line bg-raised px-3 py-2.5 text-sm";

export function ChatNotes({ list }: { list: RefObject<HTMLUListElement | null> }) {
  return (
    <>
      <Undo list={list} />
      <ChatsRefused />
      <Untaken />
    </>
  );
}

/** What was deleted just now, and the way back. The focus, which was on what is gone, is here. */
function Undo({ list }: { list: RefObject<HTMLUListElement | null> }) {
  const { t } = useText();
  const gone = useStore(removal);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // After the message box, which takes the focus where the open chat was deleted.
    const timer = setTimeout(() => button.current?.focus());
    return () => clearTimeout(timer);
  }, [gone]);
  const undo = () => {
    if (!gone) return;
    undoRemoval();
    setTimeout(() => list.current?.querySelector<HTMLElement>(`[data-chat="${gone.id}"]`)?.focus());
  };
  return (
    <div role="status">
      {gone && (
        <div
          data-testid="undo"
          className={`${NOTE} flex items-center gap-2`}
          onPointerEnter={holdRemoval}
          onPointerLeave={resumeRemoval}
          onFocus={(event) => event.target.matches(":focus-visible") && holdRemoval()}
          onBlur={resumeRemoval}
        >
          <span className="min-w-0 flex-1 truncate">{t.deleted_chat(gone.title || t.untitled)}</span>
          <button ref={button} type="button" className="button shrink-0" onClick={undo}>{t.undo}</button>
        </div>
      )}
    </div>
  );
}

/** The list could not be fetched, or a change of it was refused. That a key is needed is said elsewhere. */
function ChatsRefused() {
  const { t } = useText();
  const { error } = useStore(chats);
  if (!error || error.code === "invalid_api_key" || (CLIENT_CODES as readonly string[]).includes(error.code)) return null;
  return (
    <Refused error={error} testId="chats-refused" title={t.chats_refused}>
      <button type="button" className="button" onClick={() => again(refreshChats)}>{t.retry}</button>
    </Refused>
  );
}

/** Conversations of an earlier version that the server did not take. */
function Untaken() {
  const { t } = useText();
  const { count, error } = useStore(untaken);
  const [sure, setSure] = useState(false);
  if (!error) return null;
  return (
    <Refused error={error} testId="untaken" title={t.untaken(count)}>
      <button type="button" className="button" onClick={() => again(takeThenList)}>{t.retry}</button>
      <button type="button" className="button-quiet" onClick={() => (sure ? forgetOld() : setSure(true))} onBlur={() => setSure(false)}>
        {sure ? t.untaken_delete_sure : t.untaken_delete}
      </button>
    </Refused>
  );
}

async function takeThenList(): Promise<void> {
  if (await takeOver()) await refreshChats();
}

function again(work: () => Promise<unknown>): void {
  allowAsking();
  void work();
}

function Refused({ error, testId, title, children }: { error: ErrorRecord; testId: string; title: string; children: ReactNode }) {
  const lang = error.lang ?? "en";
  return (
    <div role="status" data-testid={testId} className={`${NOTE} space-y-2 leading-relaxed`}>
      <p className="font-medium">{title}</p>
      <p lang={lang} className="[overflow-wrap:anywhere]">{error.message}</p>
      {error.fix && <div className="text-soft"><Fix fix={error.fix} lang={lang} /></div>}
      <div className="flex flex-wrap gap-2">{children}</div>
    </div>
  );
}
