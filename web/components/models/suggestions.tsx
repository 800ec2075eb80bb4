"use client";

import type { Overview, Suggestion } from "@/lib/api/types";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/getting";
import { CommandLine, Fix } from "../ui/sentence";
import { GetButton } from "./get-button";

interface Props {
  overview: Overview;
  onBegin?: (name: string) => void;
}

/** Models worth getting: what each is good for, its size, whether it fits this machine, and one way to get it. */
export function Suggestions({ overview, onBegin }: Props) {
  const { t, format } = useArea(texts);
  const { machine } = overview;
  // What a click can get comes first; the server's order otherwise.
  const suggestions = overview.suggestions.toSorted((a, b) => Number(b.available) - Number(a.available));
  return (
    <div className="space-y-2.5">
      <p className="text-sm text-soft">{t.memory(format.bytes(machine.memory_available_bytes), format.bytes(machine.memory_total_bytes))}</p>
      <ul className="space-y-2.5">
        {suggestions.map((suggestion, at) => (
          <li key={suggestion.name}>
            <Card suggestion={suggestion} titleOf={overview} reasonSaid={suggestion.reason === suggestions[at - 1]?.reason} onBegin={onBegin} />
          </li>
        ))}
      </ul>
    </div>
  );
}

interface CardProps {
  suggestion: Suggestion;
  titleOf: Overview;
  /** The card above gives the same reason. */
  reasonSaid: boolean;
  onBegin?: (name: string) => void;
}

function Card({ suggestion, titleOf, reasonSaid, onBegin }: CardProps) {
  const { t, format } = useArea(texts);
  const { name, title, size_bytes, terms_url, fits, fit_message } = suggestion;
  const provider = titleOf.providers.find((one) => one.name === suggestion.provider)?.title ?? suggestion.provider;
  return (
    <article aria-label={title || name} className="card space-y-3 px-4 py-3.5">
      <div className="min-w-0 space-y-1">
        <h3 className="font-medium [overflow-wrap:anywhere]">{title || name}</h3>
        {suggestion.summary && <p className="text-sm leading-relaxed">{suggestion.summary}</p>}
        <p className="flex flex-wrap gap-x-1.5 text-sm text-soft">
          <span>{provider}</span>
          <span aria-hidden="true">·</span>
          <span>{format.bytes(size_bytes)}</span>
          <span aria-hidden="true">·</span>
          <span className={fits ? "text-accent" : "text-warn"}>{fit_message}</span>
          {terms_url && (
            <>
              <span aria-hidden="true">·</span>
              <a href={terms_url} target="_blank" rel="noreferrer noopener" className="underline underline-offset-2 hover:text-ink">{t.terms}</a>
            </>
          )}
        </p>
      </div>
      {suggestion.available ? (
        <GetButton name={name} title={title || name} onBegin={() => onBegin?.(name)} />
      ) : (
        <div className="space-y-2 text-sm">
          {suggestion.reason && !reasonSaid && <div className="text-soft"><Fix fix={suggestion.reason} /></div>}
          <CommandLine command={suggestion.command} />
        </div>
      )}
    </article>
  );
}
