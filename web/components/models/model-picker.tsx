"use client";

import { useState } from "react";
import { useText } from "@/lib/i18n";
import { lazyPart } from "@/lib/lazy";
import { MODEL_PICKER, ModelLabel, spokenModel, TRIGGER, type TriggerProps } from "./model-trigger";

/** Base UI's list comes after the first paint; until it is opened, a plain button stands for it. */
export const modelListPart = lazyPart(() => import("./model-list"));

export function ModelPicker({ stock, model }: TriggerProps) {
  const { t } = useText();
  const [wanted, setWanted] = useState(false);
  const list = modelListPart.use();
  if (wanted && list) return <list.ModelList stock={stock} model={model} />;
  return (
    <button
      id={MODEL_PICKER}
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
