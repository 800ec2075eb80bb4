"use client";

import { keepPreviousData, useMutation, useQueries, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { api, asking } from "@/lib/api/client";
import { makeDates } from "@/lib/dates";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/usage";
import { outdated } from "@/lib/queries";
import { groupQuery, MOST_LINES, spanQuery, tokensOfEach, type By, type Group } from "@/lib/usage";
import { Answer } from "../ui/answer";
import { Choice } from "../ui/choice";
import { LineChart } from "../ui/line-chart";
import { Section } from "../ui/section";
import { useDays } from "./day-charts";
import { EraseUsage } from "./erase-usage";
import { GroupTable } from "./group-table";

interface Props {
  where: ReturnType<typeof spanQuery>;
  administers: boolean;
  /** Of all groups together. */
  tokens: number;
}

const STEP = 20;
const MOST = 200;

/** The same by model, key, provider or day: the most used as lines, all of them as a table. */
export function Groups({ where, administers, tokens }: Props) {
  const { t, format, lang } = useArea(texts);
  const written = useDays();
  const dates = useMemo(() => makeDates(lang), [lang]);
  const [by, setBy] = useState<By>("model");
  const [limit, setLimit] = useState(STEP);
  const [erasing, setErasing] = useState<Group | null>(null);
  const query = useQuery({ ...asking("/api/v1/usage/summary", { query: { ...where, by, limit } }), staleTime: 0, placeholderData: keepPreviousData });
  // While another grouping is on its way the one before is shown, as what it is.
  const shown = query.data?.by ?? by;
  const most = shown === "day" ? [] : (query.data?.groups ?? []).filter((group) => group.requests > 0).slice(0, MOST_LINES);
  const lines = useQueries({
    queries: most.map((group) => ({ ...asking("/api/v1/usage/series", { query: { ...where, ...groupQuery(shown, group.name) } }), staleTime: 0 })),
  });
  const named = (group: Group): string => {
    if (shown === "day") return dates.day(group.name);
    if (shown === "key") return group.key_name ?? (group.name === "local" ? t.local : group.name || t.no_key);
    return group.name === "" || group.name === "://" ? t.no_model : group.name;
  };
  const erase = useMutation({
    mutationFn: (group: Group) => api.DELETE("/api/v1/usage", { params: { query: { key: group.name } } }),
    onSuccess: async () => {
      setErasing(null);
      await outdated("/api/v1/usage", "/api/v1/audit");
    },
  });
  const words = { model: t.by_model, key: t.by_key, provider: t.by_provider, day: t.by_each_day };
  return (
    <Section
      title={t.groups}
      actions={<Choice label={t.by} value={by} options={Object.entries(words)} onChoose={(one) => { setBy(one as By); setLimit(STEP); }} className="w-40" />}
    >
      {most.length > 0 && <LineChart title={t.most_used} {...tokensOfEach(lines.map((one) => one.data), most.map(named))} {...written} />}
      <Answer query={query}>
        {(answer) => (
          <>
            <GroupTable groups={answer.groups} what={words[shown]} named={named} tokens={tokens} onErase={administers && shown === "key" ? setErasing : undefined} />
            {answer.count > answer.groups.length && limit < MOST && (
              <p className="flex items-center gap-3 text-sm text-soft">
                {t.of(format.count(answer.groups.length), format.count(answer.count))}
                <button type="button" className="button-quiet" onClick={() => setLimit(Math.min(limit + 60, MOST))}>{t.more}</button>
              </p>
            )}
          </>
        )}
      </Answer>
      {erasing && (
        <EraseUsage
          name={named(erasing)} busy={erase.isPending} error={erase.error} onErase={() => erase.mutate(erasing)}
          onClose={() => {
            erase.reset();
            setErasing(null);
          }}
        />
      )}
    </Section>
  );
}
