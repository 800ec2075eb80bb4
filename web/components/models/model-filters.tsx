"use client";

import type { ModelRecord } from "@/lib/api/types";
import { catalogue, titleOf } from "@/lib/catalogue";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/models";
import { capabilitiesOf, providersOf, type ModelFilter, type ModelSort } from "@/lib/model-filter";
import { useStore } from "@/lib/store";
import { Choice } from "../ui/choice";
import { useCapabilityWord } from "./capabilities";

interface Props {
  models: ModelRecord[];
  filter: ModelFilter;
  sort: ModelSort;
  onFilter: (filter: ModelFilter) => void;
  onSort: (sort: ModelSort) => void;
}

export function ModelFilters({ models, filter, sort, onFilter, onSort }: Props) {
  const { t } = useArea(texts);
  const stock = useStore(catalogue);
  const word = useCapabilityWord();
  const change = (part: Partial<ModelFilter>) => onFilter({ ...filter, ...part });
  const any = ["", t.any] as const;
  return (
    <div role="search" className="grid grid-cols-2 gap-3 sm:grid-cols-4 xl:grid-cols-[minmax(12rem,1fr)_repeat(4,auto)]">
      <input
        type="search" className="field col-span-full xl:col-span-1 xl:self-end" placeholder={t.filter} aria-label={t.filter}
        value={filter.text} onChange={(event) => change({ text: event.target.value })}
      />
      <Choice label={t.source} value={filter.provider} options={[any, ...providersOf(models).map((name) => [name, titleOf(stock, name)] as const)]} onChoose={(provider) => change({ provider })} />
      <Choice label={t.capability} value={filter.capability} options={[any, ...capabilitiesOf(models).map((name) => [name, word(name)] as const)]} onChoose={(capability) => change({ capability })} />
      <Choice
        label={t.place} value={filter.place} onChoose={(place) => change({ place: place as ModelFilter["place"] })}
        options={[any, ["loaded", t.place_loaded], ["local", t.place_local], ["remote", t.place_remote]]}
      />
      <Choice
        label={t.sort} value={sort} onChoose={(value) => onSort(value as ModelSort)}
        options={[["name", t.sort_name], ["size", t.sort_size], ["context", t.sort_context], ["provider", t.sort_provider]]}
      />
    </div>
  );
}
