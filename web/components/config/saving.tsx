"use client";

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "@/lib/api/client";
import type { Schemas } from "@/lib/api/types";
import { recordOf, type ErrorRecord } from "@/lib/errors";
import { useText } from "@/lib/i18n";
import { outdated } from "@/lib/queries";
import { drafts, undraft, type Change, type Setting } from "@/lib/settings";
import { useStore } from "@/lib/store";
import { CheckIcon, CloseIcon, RetryIcon } from "../ui/icons";
import { Sentence } from "../ui/sentence";
import { useWords } from "./words";

type Done = { kind: "saved" | "restored"; change: Schemas["ConfigChange"] };

/** Saving all changes at once, what the server refused of them, and what was done last. */
export function useSaving() {
  const [done, setDone] = useState<Done | null>(null);
  const typed = useStore(drafts);
  const [asked, setAsked] = useState(typed);
  const mutation = useMutation({
    mutationFn: async (changes: Change[]) => {
      const updates = Object.fromEntries(changes.map(({ setting, value }) => [setting.name, value]));
      return (await api.POST("/api/v1/config/runtime", { body: { updates } })).data!;
    },
    onMutate: () => {
      setDone(null);
      setAsked(drafts.get());
    },
    onSuccess: async (change, changes) => {
      await outdated("/api/v1/config");
      undraft(...changes.map(({ setting }) => setting.name));
      setDone({ kind: "saved", change });
    },
  });
  // Of what has been typed anew since, the server has said nothing.
  const refusal = mutation.error && asked === typed ? recordOf(mutation.error) : null;
  const about = new Set(refusal?.param?.split(", "));
  return {
    done,
    refusal,
    about,
    refusalOf: (name: string): ErrorRecord | null => refusal?.parts?.find((part) => part.param === name) ?? (about.has(name) ? refusal : null),
    isSaving: mutation.isPending,
    save: mutation.mutateAsync,
    forget: () => {
      mutation.reset();
      setDone(null);
    },
    restored: (change: Schemas["ConfigChange"]) => {
      mutation.reset();
      setDone({ kind: "restored", change });
    },
  };
}

/** What this server does not work with until it is started again. */
export function Waiting({ settings }: { settings: Setting[] }) {
  const { t, labelOf } = useWords();
  const names = settings.filter((one) => one.waits).map(labelOf);
  if (names.length === 0) return null;
  return (
    <section aria-label={t.waits} className="flex gap-3 rounded-xl border border-line bg-raised p-4 text-sm">
      <RetryIcon className="mt-0.5 size-4.5 shrink-0 text-warn" />
      <div className="min-w-0 space-y-1">
        <p className="font-medium">{t.needs_restart(names.join(", "))}</p>
        <p className="text-soft"><Sentence text={t.restart_how} /></p>
      </div>
    </section>
  );
}

/** What was done, and which of it counts only after a restart. */
export function DoneNote({ done, settings, onClose }: { done: Done; settings: Setting[]; onClose: () => void }) {
  const { t, labelOf } = useWords();
  const { t: shared } = useText();
  const { changed_keys, restart_required } = done.change;
  const waiting = settings.filter((one) => restart_required.includes(one.name) && changed_keys.includes(one.name)).map(labelOf);
  const count = changed_keys.length;
  const text = count === 0 ? t.saved_nothing : done.kind === "saved" ? t.saved(count) : t.restored(count);
  return (
    <div className="flex items-start gap-3">
      <CheckIcon className="mt-0.5 size-4 shrink-0 text-accent" />
      <p role="status" className="min-w-0 flex-1 text-sm">
        {text} {waiting.length > 0 && t.needs_restart(waiting.join(", "))}
      </p>
      <button type="button" className="button-icon -my-2" aria-label={shared.close} onClick={onClose}><CloseIcon /></button>
    </div>
  );
}
