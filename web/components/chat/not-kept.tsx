"use client";

import { keepAnew, keepByHand, newChat, readChat } from "@/lib/chat";
import type { ErrorRecord } from "@/lib/errors";
import { useText } from "@/lib/i18n";
import { allowAsking } from "@/lib/key";
import { ErrorNote } from "../ui/error-note";

/** The server does not have again what the conversation goes on from: deleted elsewhere, or branched off. */
const GONE = ["session_not_found", "message_not_found"];

/** The server refused to keep what was said; it stays on the screen. */
export function NotKept({ refusal }: { refusal: ErrorRecord }) {
  const { t } = useText();
  const gone = GONE.includes(refusal.code);
  return (
    <section role="status" data-testid="not-kept" className="mx-auto max-h-[40vh] w-full max-w-3xl space-y-2 overflow-y-auto px-4 pt-2 sm:px-6">
      <p className="text-sm font-medium">{t.not_kept}</p>
      <ErrorNote error={refusal}>
        <button type="button" className="button" onClick={() => void (gone ? keepAnew() : keepByHand())}>
          {gone ? t.keep_as_new : t.keep_again}
        </button>
      </ErrorNote>
    </section>
  );
}

/** The conversation that was asked for cannot be shown. */
export function NotOpened({ error }: { error: ErrorRecord }) {
  const { t } = useText();
  const again = () => {
    allowAsking();
    void readChat();
  };
  return (
    <ErrorNote error={error}>
      {!GONE.includes(error.code) && <button type="button" className="button" onClick={again}>{t.retry}</button>}
      <button type="button" className="button" onClick={newChat}>{t.new_chat}</button>
    </ErrorNote>
  );
}
