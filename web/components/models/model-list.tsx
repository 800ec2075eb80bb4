"use client";

import { Combobox } from "@base-ui/react/combobox";
import { useMemo } from "react";
import { canChat, chooseModel, findModel, type Catalogue } from "@/lib/catalogue";
import { useText } from "@/lib/i18n";
import type { ModelRecord } from "@/lib/api/types";
import { CheckIcon } from "../ui/icons";
import { MODEL_PICKER, ModelLabel, spokenModel, TRIGGER } from "./model-trigger";

interface Group {
  value: string;
  items: ModelRecord[];
}

function byProvider(models: ModelRecord[]): Group[] {
  const groups = new Map<string, ModelRecord[]>();
  for (const model of models) groups.set(model.provider, [...(groups.get(model.provider) ?? []), model]);
  return [...groups].map(([value, items]) => ({ value, items }));
}

/** The chat models of all providers with a filter; opens at once, since a click brought it here. */
export function ModelList({ stock, model }: { stock: Catalogue; model: string | null }) {
  const { t } = useText();
  const groups = useMemo(() => byProvider((stock.models ?? []).filter(canChat)), [stock.models]);
  return (
    <Combobox.Root
      items={groups}
      defaultOpen
      value={findModel(stock.models, model) ?? null}
      onValueChange={(chosen: ModelRecord | null) => {
        if (chosen) chooseModel(chosen.id);
      }}
      itemToStringLabel={(item: ModelRecord) => item.id}
      isItemEqualToValue={(item: ModelRecord, value: ModelRecord) => item.id === value.id}
    >
      <Combobox.Trigger id={MODEL_PICKER} className={TRIGGER} aria-label={spokenModel(t, stock, model)}>
        <ModelLabel stock={stock} model={model} />
      </Combobox.Trigger>
      <Combobox.Portal>
        <Combobox.Positioner align="start" sideOffset={6} className="z-40 outline-none">
          <Combobox.Popup aria-label={t.choose_model} className="w-[min(26rem,calc(100vw-1.5rem))] overflow-hidden rounded-xl border border-line bg-raised shadow-xl">
            <div className="border-b border-line p-2">
              <Combobox.Input placeholder={t.find_model} aria-label={t.find_model} className="w-full rounded-lg bg-sunken px-3 py-2 text-base -outline-offset-1 placeholder:text-soft sm:text-sm" />
            </div>
            <Combobox.Empty>
              <p className="px-4 py-5 text-sm text-soft">{t.no_match}</p>
            </Combobox.Empty>
            <Combobox.List className="max-h-[min(24rem,calc(var(--available-height)-4rem))] overflow-y-auto overscroll-contain p-1.5 empty:p-0">
              {(group: Group) => (
                <Combobox.Group key={group.value} items={group.items} className="pb-1">
                  <Combobox.GroupLabel className="px-2.5 pt-2 pb-1 text-xs font-medium text-soft">{group.value}</Combobox.GroupLabel>
                  <Combobox.Collection>
                    {(item: ModelRecord) => <Item key={item.id} item={item} isDefault={item.id === stock.overview?.default_model} />}
                  </Combobox.Collection>
                </Combobox.Group>
              )}
            </Combobox.List>
          </Combobox.Popup>
        </Combobox.Positioner>
      </Combobox.Portal>
    </Combobox.Root>
  );
}

function Item({ item, isDefault }: { item: ModelRecord; isDefault: boolean }) {
  const { t, format } = useText();
  const facts = [
    item.size_bytes !== null && format.bytes(item.size_bytes),
    item.quantization,
    item.context_length !== null && t.context_length(format.count(item.context_length)),
    item.base_model && t.base_mark,
    item.self_test && !item.self_test.outdated && t.tested_mark,
    item.loaded && t.loaded_mark,
    item.runs_at && t.runs_at(item.runs_at),
    isDefault && t.default_mark,
  ].filter(Boolean);
  return (
    <Combobox.Item value={item} className="flex cursor-pointer items-start gap-2 rounded-lg px-2.5 py-2 outline-none data-highlighted:bg-hover">
      <span className="min-w-0 flex-1">
        <span className="block text-sm font-medium [overflow-wrap:anywhere]">{item.id}</span>
        <span className="block text-xs leading-relaxed text-soft">{facts.join(" · ")}</span>
      </span>
      <Combobox.ItemIndicator className="pt-0.5 text-accent"><CheckIcon /></Combobox.ItemIndicator>
    </Combobox.Item>
  );
}
