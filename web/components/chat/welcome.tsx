"use client";

import { useEffect } from "react";
import { findModel, noteOf, refreshByHand, type Catalogue } from "@/lib/catalogue";
import { useText } from "@/lib/i18n";
import { lazyPart } from "@/lib/lazy";
import type { Overview } from "@/lib/api/types";
import { ErrorNote } from "../ui/error-note";
import { ChevronIcon, LogoIcon } from "../ui/icons";
import { Sentence } from "../ui/sentence";

/** What gets a model has a script of its own: most visits have one. */
const firstRunPart = lazyPart(() => import("../models/first-run"));

/** The first screen: what can answer, or how to get something that can. */
export function Welcome({ stock, model }: { stock: Catalogue; model: string | null }) {
  const { t } = useText();
  const { overview, models, error } = stock;
  if (error && !overview) {
    return (
      <div className="pt-[12vh]">
        <ErrorNote error={error}>
          <button type="button" className="button" onClick={() => void refreshByHand()}>
            {error.code === "invalid_api_key" ? t.key_enter : t.retry}
          </button>
        </ErrorNote>
      </div>
    );
  }
  if (!overview || !models) return <p role="status" className="sr-only">{t.loading}</p>;
  return model ? <Ready stock={stock} overview={overview} model={model} /> : <Getting overview={overview} as="FirstRun" />;
}

function Ready({ stock, overview, model }: { stock: Catalogue; overview: Overview; model: string }) {
  const { t } = useText();
  const note = noteOf(stock, model);
  const away = findModel(stock.models, model)?.runs_at;
  return (
    <div className="space-y-6 max-sm:pt-[10vh]">
      <div className="space-y-3 text-center">
        <LogoIcon className="mx-auto size-11" />
        <h2 className="text-2xl font-semibold tracking-tight text-balance sm:text-[1.75rem]">{t.welcome}</h2>
        {!note && <p className="text-soft">{away ? t.welcome_remote(away) : t.welcome_local}</p>}
      </div>
      {note && (
        <div data-testid="demo-note" className="mx-auto max-w-xl rounded-xl bg-accent-wash px-4 py-3.5 text-sm leading-relaxed">
          <p className="pb-0.5 font-medium">{t.demo_note}</p>
          <p><Sentence text={note} /></p>
        </div>
      )}
      {note && overview.suggestions.length > 0 && (
        <details className="group/more mx-auto max-w-xl">
          <summary className="button-quiet mx-auto flex w-fit list-none [&::-webkit-details-marker]:hidden">
            {t.more_models} <ChevronIcon className="size-4 transition-transform group-open/more:rotate-180" />
          </summary>
          <div className="pt-3"><Getting overview={overview} as="MoreSuggestions" /></div>
        </details>
      )}
    </div>
  );
}

function Getting({ overview, as }: { overview: Overview; as: "FirstRun" | "MoreSuggestions" }) {
  const { t } = useText();
  const part = firstRunPart.use();
  useEffect(() => void firstRunPart.load(), []);
  if (!part) return <p role="status" className="text-soft">{t.loading}…</p>;
  const Part = part[as];
  return <Part overview={overview} />;
}
