"use client";

import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/usage";
import { tokensOf, type Group } from "@/lib/usage";

interface Props {
  groups: readonly Group[];
  /** What a row is: a model, a key. */
  what: string;
  named: (group: Group) => string;
  tokens: number;
  onErase?: (group: Group) => void;
}

/** A row for each group, with its share of the tokens as a bar. */
export function GroupTable({ groups, what, named, tokens, onErase }: Props) {
  const { t, format } = useArea(texts);
  const columns = [t.requests, t.refused, t.failed, t.prompt_tokens, t.completion_tokens, t.first_token, t.speed];
  return (
    <div className="card overflow-x-auto" tabIndex={0} role="region" aria-label={`${t.groups}: ${what}`}>
      <table className="w-full text-sm tabular-nums">
        <caption className="sr-only">{`${t.groups}: ${what}`}</caption>
        <thead>
          <tr className="text-xs text-soft">
            <th scope="col" className="px-4 py-2.5 text-start font-medium first-letter:uppercase">{what}</th>
            {columns.map((name) => <th key={name} scope="col" className="px-2 py-2.5 text-end font-medium last:pr-4">{name}</th>)}
            {onErase && <th scope="col" className="px-4 py-2.5"><span className="sr-only">{t.action}</span></th>}
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => (
            <tr key={group.name} className="border-t border-line">
              <th scope="row" className="min-w-44 px-4 py-2.5 text-start font-normal">
                <span className="block max-w-80 break-words">{named(group)}</span>
                {tokens > 0 && <progress className="meter mt-1.5" max={tokens} value={tokensOf(group)} aria-label={`${t.share}: ${named(group)}`} />}
              </th>
              <td className="px-2 text-end last:pr-4">{format.count(group.requests)}</td>
              <td className="px-2 text-end last:pr-4">{format.count(group.refused)}</td>
              <td className="px-2 text-end last:pr-4">{format.count(group.failed)}</td>
              <td className="px-2 text-end last:pr-4">{format.count(group.prompt_tokens)}</td>
              <td className="px-2 text-end last:pr-4">{format.count(group.completion_tokens + group.estimated_tokens)}</td>
              <td className="px-2 text-end last:pr-4 whitespace-nowrap">{group.time_to_first_token_ms === null ? t.unknown : format.duration(group.time_to_first_token_ms)}</td>
              <td className="px-2 text-end last:pr-4 whitespace-nowrap">{group.tokens_per_second === null ? t.unknown : format.rate(group.tokens_per_second)}</td>
              {onErase && (
                <td className="px-4 text-end">
                  <button type="button" className="button" aria-label={t.erase_of(named(group))} onClick={() => onErase(group)}>{t.erase}</button>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
