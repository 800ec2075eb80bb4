"use client";

import { useText } from "@/lib/i18n";
import type { Overview, OverviewProvider } from "@/lib/api/types";
import { Suggestions } from "../models/suggestions";
import { LogoIcon } from "../ui/icons";
import { Fix, Sentence } from "../ui/sentence";

export { Suggestions };

/** Nothing can answer yet: how to get something that can. */
export function FirstModel({ overview }: { overview: Overview }) {
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
