"use client";

import { useRef, useState } from "react";
import { recordOf, type ErrorRecord } from "@/lib/errors";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/chats";
import { importFile, type Taken } from "@/lib/importing";
import { DownloadIcon } from "../ui/icons";
import { ErrorNote } from "../ui/error-note";
import { drawer } from "./drawer";

/** Takes conversations in from a file. */
export function ChatImport() {
  const { t } = useArea(texts);
  const field = useRef<HTMLInputElement>(null);
  const running = useRef<AbortController | null>(null);
  const [taken, setTaken] = useState<Taken | null>(null);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<ErrorRecord | null>(null);
  const take = async (file: File | undefined) => {
    if (!file) return;
    const stop = (running.current = new AbortController());
    setRefusal(null);
    setTaken(null);
    setBusy(true);
    try {
      const done = await importFile(file, stop.signal, setTaken);
      if (done.all === 1) drawer.set(false);
    } catch (thrown) {
      const found = recordOf(thrown);
      const ours = { message: t.client_no_conversation, fix: t.client_no_conversation_fix };
      setRefusal(found.code === "client_no_conversation" ? { ...found, ...ours } : found);
    }
    setBusy(false);
  };
  return (
    <div className="mt-2 space-y-2 border-t border-line pt-2">
      <button type="button" className="button-quiet w-full justify-start" title={t.import_hint} disabled={busy} onClick={() => field.current?.click()}>
        <DownloadIcon className="size-4 shrink-0 rotate-180" /> {t.import_chat}
      </button>
      <input
        ref={field} type="file" accept="application/json,.json" aria-label={t.import_chat} className="hidden"
        onChange={(event) => {
          void take(event.target.files?.[0]);
          event.target.value = "";
        }}
      />
      {taken && taken.all > 1 && <Progress taken={taken} busy={busy} onStop={() => running.current?.abort()} />}
      {refusal && (
        <div data-testid="import-failed">
          <p className="px-2 pb-1 text-sm font-medium">{t.import_failed}</p>
          <ErrorNote error={refusal}>{null}</ErrorNote>
        </div>
      )}
    </div>
  );
}

/** How far a file of many conversations is, and what came of it. */
function Progress({ taken, busy, onStop }: { taken: Taken; busy: boolean; onStop: () => void }) {
  const { t, format } = useArea(texts);
  const done = taken.taken + taken.known + taken.refused;
  const told = [t.imported(taken.taken), taken.known > 0 && t.import_known(taken.known), taken.refused > 0 && t.import_refused(taken.refused)];
  return (
    <div className="space-y-2 px-2 text-sm text-soft">
      {busy && (
        <>
          <progress className="meter" max={taken.all} value={done} aria-label={t.importing(format.count(done), format.count(taken.all))} />
          <button type="button" className="button" onClick={onStop}>{t.import_stop}</button>
        </>
      )}
      <p role="status">{busy ? t.importing(format.count(done), format.count(taken.all)) : told.filter(Boolean).join(" ")}</p>
      {!busy && taken.error && <ErrorNote error={taken.error}>{null}</ErrorNote>}
    </div>
  );
}
