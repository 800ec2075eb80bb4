"use client";

import { useId, type KeyboardEvent } from "react";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/translate";
import { StopIcon } from "../ui/icons";

interface Props {
  text: string;
  length: number;
  most: number;
  ready: boolean;
  busy: boolean;
  onText: (text: string) => void;
  onGo: () => void;
  onStop: () => void;
}

/** The left pane: the text, and what begins and stops its translation. */
export function Original({ text, length, most, ready, busy, onText, onGo, onStop }: Props) {
  const { t, format } = useArea(texts);
  const id = useId();
  const press = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      onGo();
    } else if (event.key === "Escape" && busy) onStop();
  };
  return (
    <section aria-labelledby={`${id}-title`} className="card flex min-h-72 flex-col p-4 outline-accent has-[textarea:focus-visible]:outline-2" onKeyDown={press}>
      <div className="flex min-h-8 items-center justify-between gap-2">
        <h2 id={`${id}-title`} className="text-sm font-medium"><label htmlFor={id}>{t.original}</label></h2>
        {text !== "" && <button type="button" className="button-quiet" onClick={() => onText("")}>{t.clear}</button>}
      </div>
      <textarea
        id={id} value={text} onChange={(event) => onText(event.target.value)} placeholder={t.original_placeholder} aria-describedby={`${id}-hint`}
        aria-invalid={length > most} className="min-h-44 flex-1 resize-y bg-transparent py-2 text-base outline-none placeholder:text-soft focus-visible:outline-none"
      />
      <div className="flex min-h-12 items-center justify-between gap-4 border-t border-line pt-3">
        <p id={`${id}-hint`} className="min-w-0 text-xs text-soft">
          {Number.isFinite(most) && <span className={length > most ? "text-danger" : ""}>{t.length(format.count(length), format.count(most))}. {length > most ? t.too_long : ""} </span>}
          <span className="max-sm:hidden">{t.keys}</span>
        </p>
        <button type="button" className={`shrink-0 ${busy ? "button" : "button-accent"}`} disabled={!busy && !ready} onClick={busy ? onStop : onGo}>
          {busy && <StopIcon />} {busy ? t.stop : t.translate}
        </button>
      </div>
    </section>
  );
}
