"use client";

import { useEffect, useState } from "react";
import { changesOf, drafts, undraft, type Setting } from "@/lib/settings";
import { useStore } from "@/lib/store";
import { ErrorNote } from "../ui/error-note";
import { Review } from "./review";
import { DoneNote, type useSaving } from "./saving";
import { fieldId } from "./setting-row";
import { useWords } from "./words";

/** What is not saved yet, always in sight; a browser asks before it closes over it. */
export function SaveBar({ settings, saving }: { settings: Setting[]; saving: ReturnType<typeof useSaving> }) {
  const { t } = useWords();
  const changes = changesOf(settings, useStore(drafts));
  const wrong = changes.filter((change) => change.problem);
  const [reviewing, setReviewing] = useState(false);
  const unsaved = changes.length > 0;
  useEffect(() => {
    if (!unsaved) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [unsaved]);
  if (!unsaved && !saving.done) return null;
  const discard = () => {
    saving.forget();
    undraft(...changes.map(({ setting }) => setting.name));
    document.getElementById("content")?.focus();
  };
  const save = async () => {
    try {
      await saving.save(changes);
    } catch {
      // The note below and the fields say what was refused.
    }
    setReviewing(false);
  };
  return (
    <div role="region" aria-label={t.review} className="sticky bottom-4 z-10 space-y-3 rounded-xl border border-edge bg-raised p-3 shadow-lg sm:px-4">
      {saving.done && <DoneNote done={saving.done} settings={settings} onClose={saving.forget} />}
      {saving.refusal && <Refusal saving={saving} />}
      {unsaved && (
        <div className="flex flex-wrap items-center justify-between gap-3">
          <p role="status" className="text-sm">
            {t.unsaved(changes.length)}
            {wrong.length > 0 && <span className="text-danger"> · {t.wrong(wrong.length)}</span>}
          </p>
          <div className="flex gap-2">
            <button type="button" className="button" onClick={discard}>{t.discard}</button>
            <button type="button" className="button-accent" disabled={wrong.length > 0} onClick={() => setReviewing(true)}>{t.review}</button>
          </div>
        </div>
      )}
      {reviewing && <Review changes={changes} saving={saving.isSaving} onSave={() => void save()} onClose={() => setReviewing(false)} />}
    </div>
  );
}

/** A refusal about fields leads to the first of them; any other is shown whole. */
function Refusal({ saving: { refusal, about } }: { saving: ReturnType<typeof useSaving> }) {
  const { t } = useWords();
  const first = [...about][0];
  useEffect(() => {
    if (first === undefined) return;
    const field = document.getElementById(fieldId(first));
    field?.focus({ preventScroll: true });
    field?.scrollIntoView({ block: "center" });
  }, [refusal, first]);
  if (!refusal) return null;
  return <ErrorNote error={first === undefined ? refusal : { ...refusal, message: refusal.parts ? t.refused_several(about.size) : `${t.refused_here} ${refusal.message}`, fix: null }} />;
}
