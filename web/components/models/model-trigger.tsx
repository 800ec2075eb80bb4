"use client";

import { findModel, type Catalogue } from "@/lib/catalogue";
import { useText, type Dictionary } from "@/lib/i18n";
import { ChevronIcon } from "../ui/icons";

/** The id of the button that opens the list, plain or whole: others open it too. */
export const MODEL_PICKER = "model-picker";
export const TRIGGER =
  "inline-flex min-w-0 items-center gap-2 rounded-lg px-2.5 py-1.5 text-left hover:bg-hover data-popup-open:bg-hover";

export interface TriggerProps {
  stock: Catalogue;
  model: string | null;
}

/** The trigger's name; it holds the words that are seen, so that voice control finds it by them. */
export function spokenModel(t: Dictionary, stock: Catalogue, model: string | null): string {
  const provider = findModel(stock.models, model)?.provider ?? "";
  return `${t.model}: ${model ?? t.no_model} ${provider}`.trim();
}

export function ModelLabel({ stock, model }: TriggerProps) {
  const { t } = useText();
  const record = findModel(stock.models, model);
  const unknown = stock.models === null && !stock.error ? "…" : t.no_model;
  return (
    <>
      <span className="min-w-0 truncate font-medium">{model ?? unknown}</span>{" "}
      {record && <span className="text-sm text-soft max-sm:hidden">{record.provider}</span>}
      {record?.runs_at && <span className="shrink truncate text-sm text-soft">{t.runs_at(record.runs_at)}</span>}
      {stock.models && stock.models.length > 0 && <ChevronIcon className="size-4 shrink-0 text-soft" />}
    </>
  );
}
