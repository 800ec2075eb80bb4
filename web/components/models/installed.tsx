"use client";

import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { asking } from "@/lib/api/client";
import type { JsonOf } from "@/lib/api/types";
import { catalogue, titleOf } from "@/lib/catalogue";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/models";
import { showFragment } from "@/lib/fragment";
import { ALL, filterModels, isFiltered, sortModels, type ModelSort } from "@/lib/model-filter";
import { useStore } from "@/lib/store";
import { Answer } from "../ui/answer";
import { DownloadIcon } from "../ui/icons";
import { Fix } from "../ui/sentence";
import { DiskUse } from "./disk-use";
import { ModelCard } from "./model-card";
import { ModelFilters } from "./model-filters";
import { StrayAliases } from "./stray-aliases";

type Models = JsonOf<"/api/v1/models">;

/** Every installed model, narrowed and ordered. */
export function Installed() {
  const { t } = useArea(texts);
  const query = useQuery(asking("/api/v1/models"));
  const empty = (
    <div className="space-y-3">
      <p>{t.none}</p>
      <button type="button" className="button-accent" onClick={() => showFragment("get")}><DownloadIcon /> {t.tab_get}</button>
    </div>
  );
  return (
    <Answer query={query} isEmpty={(answer) => answer.models.length + answer.stale.length + answer.left_out.length === 0} empty={empty}>
      {(answer) => <Listing answer={answer} />}
    </Answer>
  );
}

function Listing({ answer }: { answer: Models }) {
  const { t, lang, format } = useArea(texts);
  const [filter, setFilter] = useState(ALL);
  const [sort, setSort] = useState<ModelSort>("name");
  const { models } = answer;
  const found = useMemo(() => sortModels(filterModels(models, filter), sort, lang), [models, filter, sort, lang]);
  const memory = useQuery(asking("/api/v1/models/loaded")).data?.models ?? [];
  const counted = isFiltered(filter)
    ? t.count_of(models.length, format.count(found.length), format.count(models.length))
    : t.count(models.length, format.count(models.length));
  return (
    <div className="space-y-4">
      <ModelFilters models={models} filter={filter} sort={sort} onFilter={setFilter} onSort={setSort} />
      <div className="flex flex-wrap items-center justify-between gap-2">
        <p className="flex flex-wrap gap-x-3 text-sm text-soft"><span role="status">{counted}</span> <DiskUse /></p>
        {isFiltered(filter) && <button type="button" className="button-quiet" onClick={() => setFilter(ALL)}>{t.clear}</button>}
      </div>
      {found.length === 0 && models.length > 0 && <p className="text-soft">{t.none_match}</p>}
      <ul className="space-y-3">
        {found.map((model) => (
          <li key={model.reference}>
            <ModelCard model={model} held={memory.find((one) => one.reference === model.reference)} />
          </li>
        ))}
      </ul>
      <Missing answer={answer} />
      <StrayAliases models={models} />
    </div>
  );
}

/** What is not in the list, and why. */
function Missing({ answer: { stale, left_out } }: { answer: Models }) {
  const stock = useStore(catalogue);
  const { t, format } = useArea(texts);
  return (
    <>
      {stale.map((one) => (
        <div key={one.provider} className="card space-y-1.5 px-4 py-3 text-sm">
          <p><span className="font-medium">{t.stale(titleOf(stock, one.provider))}</span> {one.message}</p>
          {one.fix && <div className="text-soft"><Fix fix={one.fix} /></div>}
        </div>
      ))}
      {left_out.length > 0 && (
        <details className="text-sm">
          <summary className="w-fit text-soft">{t.left_out(left_out.length, format.count(left_out.length))}</summary>
          <ul className="space-y-2 pt-2">
            {left_out.map((one) => (
              <li key={`${one.provider} ${one.name}`} className="[overflow-wrap:anywhere]"><span className="font-medium">{one.name}</span> <span className="text-soft">{one.message}</span></li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
