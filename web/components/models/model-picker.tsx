"use client";

import { useState } from "react";
import { findModel, type Catalogue } from "@/lib/catalogue";
import { useText, type Dictionary } from "@/lib/i18n";
import { lazyPart } from "@/lib/lazy";
import { ChevronIcon } from "../ui/icons";

/** Base UI's list comes after the first paint; until it is opened, a plain button stands for it. */
export const modelListPart = lazyPart(() => import("./model-list"));

export const TRIGGER =
  "inline-flex min-w-0 items-center gap-2 rounded-lg px-2.5 py-1.5 text-left hover:bg-hover data-popup-open:bg-hover";

interface Props {
  stock: Catalogue;
  model: string | null;
}

export function ModelPicker({ stock, model }: Props) {
  const { t } = useText();
  const [wanted, setWanted] = useState(false);
  const list = modelListPart.use();
  if (wanted && list) return <list.ModelList stock={stock} model={model} />;
  return (
    <button
      type="button"
      className={TRIGGER}
      aria-haspopup="dialog"
      aria-label={spokenModel(t, stock, model)}
      disabled={!stock.models?.length}
      onClick={() => {
        setWanted(true);
        void modelListPart.load();
      }}
    >
      <ModelLabel stock={stock} model={model} />
    </button>
  );
}

/** The trigger's name; it holds the words that are seen, so that voice control finds it by them. */
export function spokenModel(t: Dictionary, stock: Catalogue, model: string | null): string {
  const provider = findModel(stock.models, model)?.provider ?? "";
  return `${t.model}: ${model ?? t.no_model} ${provider}`.trim();
}

export function ModelLabel({ stock, model }: Props) {
  const { t } = useText();
  const record = findModel(stock.models, model);
  const unknown = stock.models === null && !stock.error ? "…" : t.no_model;
  return (
    <>
      <span className="min-w-0 truncate font-medium">{model ?? unknown}</span>{" "}
      {record && <span className="text-sm text-soft max-sm:hidden">{record.provider}</span>}
      {stock.models && stock.models.length > 0 && <ChevronIcon className="size-4 shrink-0 text-soft" />}
    </>
  );
}
