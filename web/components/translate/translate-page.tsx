"use client";

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { asking } from "@/lib/api/client";
import { batched } from "@/lib/frames";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/translate";
import { allowAsking } from "@/lib/key";
import { IDLE, LANGUAGES, translate, type Progress, type Translated } from "@/lib/translation";
import { Answer } from "../ui/answer";
import { Choice } from "../ui/choice";
import { Page } from "../ui/page";
import { Chosen, ModelChoice } from "./chooser";
import { Original } from "./original";
import { Result } from "./result";
import { SwapIcon } from "./swap-icon";

/** Two panes: what is to be translated, and what it becomes as the model writes it. */
export function TranslatePage() {
  const { t, lang } = useArea(texts);
  const [source, setSource] = useState<Translated | "">("");
  const [chosen, setTarget] = useState<Translated | null>(null);
  const [text, setText] = useState("");
  const { now, begin, stop, forget } = useTranslation();
  // Until somebody chooses, into the language that the page is read in.
  const target = chosen ?? lang;
  // What was known stays until the next answer: the panes below keep their place.
  const state = useQuery({ ...asking("/api/v1/translate", { query: { target_lang: target, source_lang: source || undefined } }), placeholderData: keepPreviousData });
  const busy = now.status === "asked" || now.status === "writing";
  const most = state.data?.max_characters ?? Infinity;
  const length = useMemo(() => [...text].length, [text]);
  const ready = text.trim() !== "" && length <= most && !busy;
  const go = (use_cache = true) => {
    if (!ready) return;
    allowAsking();
    begin({ text, target_lang: target, source_lang: source || null, use_cache });
  };
  const choose = (from: Translated | "", to: Translated) => {
    setSource(from);
    setTarget(to);
  };
  const swap = () => {
    choose(target, source || LANGUAGES.find((one) => one !== target) || "en");
    if (now.status === "done") {
      setText(now.text);
      forget();
    }
  };
  const names = LANGUAGES.map((one) => [one, t[`lang_${one}`]] as const);
  return (
    <Page title={t.title} intro={t.text} wide>
      <div className="flex flex-wrap items-end gap-3">
        <Choice label={t.from} value={source} options={[["", t.any], ...names]} onChoose={(one) => choose(one as Translated, one === target ? source || (one === "en" ? "pl" : "en") : target)} className="flex-1 basis-32 sm:max-w-48" />
        <button type="button" className="button-icon" aria-label={t.swap} title={t.swap} disabled={busy} onClick={swap}><SwapIcon /></button>
        <Choice label={t.to} value={target} options={names} onChoose={(one) => choose(one === source ? target : source, one as Translated)} className="flex-1 basis-32 sm:max-w-48" />
        <ModelChoice className="grow basis-72 sm:ml-auto sm:max-w-80" />
      </div>
      <Answer query={state}>{(found) => <Chosen state={found} />}</Answer>
      <div className="grid gap-4 lg:grid-cols-2">
        <Original text={text} length={length} most={most} ready={ready} busy={busy} onText={setText} onGo={() => go()} onStop={stop} />
        <Result now={now} target={target} onAnew={() => go(false)} />
      </div>
      <p className="max-w-3xl text-xs text-soft">{t.kept_text}</p>
    </Page>
  );
}

/** The translation that is under way or was made last; leaving the page ends it. */
function useTranslation() {
  const [now, setNow] = useState<Progress>(IDLE);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  return {
    now,
    begin(wanted: Parameters<typeof translate>[0]) {
      running.current?.abort();
      const own = (running.current = new AbortController());
      let latest = IDLE;
      const show = batched(() => running.current === own && setNow(latest));
      void translate(wanted, own.signal, (next) => {
        latest = next;
        show.later();
      });
    },
    stop: () => running.current?.abort(),
    forget() {
      running.current = null;
      setNow(IDLE);
    },
  };
}
