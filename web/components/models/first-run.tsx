"use client";

import Link from "next/link";
import type { Overview, OverviewProvider } from "@/lib/api/types";
import { chooseWhenThere } from "@/lib/first-choice";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/getting";
import { LogoIcon } from "../ui/icons";
import { Fix } from "../ui/sentence";
import { Suggestions } from "./suggestions";

/** The first screen without a model: what could run one, and models to get with one click. */
export function FirstRun({ overview }: { overview: Overview }) {
  const { t } = useArea(texts);
  const { suggestions } = overview;
  const able = suggestions.some((one) => one.available);
  return (
    <div className="mx-auto max-w-xl space-y-7 pt-[4vh]">
      <div className="space-y-2">
        <LogoIcon className="mb-5 size-11" />
        <h2 className="text-2xl font-semibold tracking-tight">{t.first_title}</h2>
        <p className="leading-relaxed text-soft">{able ? `${whoRuns(overview, t)} ${t.first_text}` : t.first_nobody}</p>
      </div>
      {!able && <Ways overview={overview} />}
      {suggestions.length > 0 && <Suggestions overview={overview} onBegin={chooseWhenThere} />}
      <p><Link href="/models#get" prefetch={false} className="button-quiet -ml-2">{t.more}</Link></p>
      {!able && <Troubled providers={overview.providers.filter((provider) => provider.reason !== null)} />}
    </div>
  );
}

/** Suggestions below a model that is for trying out only. */
export function MoreSuggestions({ overview }: { overview: Overview }) {
  return <Suggestions overview={overview} onBegin={chooseWhenThere} />;
}

/** Ollama where it is there, else what fetches the first suggestion. */
function whoRuns({ providers, suggestions }: Overview, t: { first_ollama: (title: string) => string; first_embedded: (title: string) => string }): string {
  const ready = (name: string) => providers.find((one) => one.name === name && (one.status === "ready" || one.status === "idle"));
  const ollama = ready("ollama");
  if (ollama) return t.first_ollama(ollama.title);
  const other = ready(suggestions.find((one) => one.available)?.provider ?? "");
  return other ? t.first_embedded(other.title) : "";
}

function Ways({ overview }: { overview: Overview }) {
  const { t } = useArea(texts);
  if (overview.first_steps.length === 0) return null;
  return (
    <section className="space-y-3">
      <h3 className="text-sm font-medium">{t.first_steps}</h3>
      <ul className="space-y-2">
        {overview.first_steps.map((step) => (
          <li key={step.plugin} className="card space-y-1.5 px-4 py-3 text-sm">
            <Fix fix={step.title} />
            {step.commands.map((command) => <Fix key={command} fix={command} />)}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Troubled({ providers }: { providers: OverviewProvider[] }) {
  const { t } = useArea(texts);
  if (providers.length === 0) return null;
  return (
    <section className="space-y-3">
      <h3 className="text-sm font-medium">{t.not_ready}</h3>
      <ul className="space-y-2">
        {providers.map((provider) => (
          <li key={provider.name} className="card space-y-1.5 px-4 py-3 text-sm">
            <p><span className="font-medium">{provider.title}:</span> {provider.reason?.message}</p>
            {provider.reason?.fix && <div className="text-soft"><Fix fix={provider.reason.fix} /></div>}
          </li>
        ))}
      </ul>
    </section>
  );
}
