"use client";

import { findModel, noteOf, refreshByHand, type Catalogue } from "@/lib/catalogue";
import { useText } from "@/lib/i18n";
import type { Overview, OverviewProvider } from "@/lib/api/types";
import { Suggestions } from "../models/suggestions";
import { ErrorNote } from "../ui/error-note";
import { ChevronIcon, LogoIcon } from "../ui/icons";
import { Fix, Sentence } from "../ui/sentence";

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
  return model ? <Ready stock={stock} overview={overview} model={model} /> : <FirstModel overview={overview} />;
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
          <div className="pt-3"><Suggestions overview={overview} /></div>
        </details>
      )}
    </div>
  );
}

function FirstModel({ overview }: { overview: Overview }) {
  const { t } = useText();
  const troubled = overview.providers.filter((provider) => provider.reason !== null);
  return (
    <div className="mx-auto max-w-xl space-y-7 pt-[4vh]">
      <div className="space-y-2">
        <LogoIcon className="mb-5 size-11" />
        <h2 className="text-2xl font-semibold tracking-tight">{t.no_model_title}</h2>
        <p className="leading-relaxed text-soft">
          {overview.suggestions.length > 0 ? t.no_model_text : <Sentence text={t.no_suggestions} />}
        </p>
      </div>
      {overview.suggestions.length > 0 && <Suggestions overview={overview} />}
      {overview.first_steps.length > 0 && !overview.suggestions.some((found) => found.available) && (
        <section className="space-y-3">
          <h3 className="text-sm font-medium">{t.first_steps}</h3>
          <ul className="space-y-2">
            {overview.first_steps.map((step) => (
              <li key={step.plugin} className="card space-y-1.5 px-4 py-3 text-sm">
                <p>{step.title}</p>
                {step.commands.map((command) => <code key={command} className="block text-soft">{command}</code>)}
              </li>
            ))}
          </ul>
        </section>
      )}
      {troubled.length > 0 && (
        <section className="space-y-3">
          <h3 className="text-sm font-medium">{t.not_ready}</h3>
          <ul className="space-y-2">
            {troubled.map((provider) => <Trouble key={provider.name} provider={provider} />)}
          </ul>
        </section>
      )}
    </div>
  );
}

function Trouble({ provider }: { provider: OverviewProvider }) {
  return (
    <li className="card space-y-1.5 px-4 py-3 text-sm">
      <p>
        <span className="font-medium">{provider.title}:</span>{" "}
        {provider.reason?.message}
      </p>
      {provider.reason?.fix && <div className="text-soft"><Fix fix={provider.reason.fix} /></div>}
    </li>
  );
}
