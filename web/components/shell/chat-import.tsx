"use client";

import { useRef, useState } from "react";
import { recordOf, type ErrorRecord } from "@/lib/errors";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/chats";
import { importFile } from "@/lib/importing";
import { ErrorNote } from "../ui/error-note";
import { drawer } from "./drawer";

/** Takes a conversation in from a file. */
export function ChatImport() {
  const { t } = useArea(texts);
  const field = useRef<HTMLInputElement>(null);
  const [refusal, setRefusal] = useState<ErrorRecord | null>(null);
  const take = async (file: File | undefined) => {
    if (!file) return;
    setRefusal(null);
    try {
      await importFile(file);
      drawer.set(false);
    } catch (thrown) {
      const found = recordOf(thrown);
      const ours = { message: t.client_no_conversation, fix: t.client_no_conversation_fix };
      setRefusal(found.code === "client_no_conversation" ? { ...found, ...ours } : found);
    }
  };
  return (
    <div className="space-y-2">
      <button type="button" className="button-quiet w-full justify-start" title={t.import_hint} onClick={() => field.current?.click()}>
        {t.import_chat}
      </button>
      <input
        ref={field} type="file" accept="application/json,.json" aria-label={t.import_chat} className="hidden"
        onChange={(event) => {
          void take(event.target.files?.[0]);
          event.target.value = "";
        }}
      />
      {refusal && (
        <div data-testid="import-failed">
          <p className="px-2 pb-1 text-sm font-medium">{t.import_failed}</p>
          <ErrorNote error={refusal}>{null}</ErrorNote>
        </div>
      )}
    </div>
  );
}
