"use client";

import type { ModelRecord } from "@/lib/api/types";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/models";
import { AlertIcon, CheckIcon } from "../ui/icons";

/** The word for a capability; a new one stands for itself. */
export function useCapabilityWord(): (capability: string) => string {
  const { t } = useArea(texts);
  return (capability) => (t as unknown as Record<string, string>)[`cap_${capability}`] ?? capability;
}

/** What a model can do: as a self-test saw it, or as its source says only. */
export function Capabilities({ model }: { model: Pick<ModelRecord, "capabilities" | "capability_states"> }) {
  const { t } = useArea(texts);
  const word = useCapabilityWord();
  if (!model.capabilities) return <p className="text-sm text-soft">{t.undeclared}</p>;
  return (
    <ul className="flex flex-wrap gap-1.5">
      {model.capabilities.map((capability) => {
        const state = model.capability_states?.[capability] ?? "declared";
        const said = t[state](word(capability));
        return (
          <li key={capability} title={said} className={`inline-flex items-center gap-1 rounded-md px-2 py-0.5 text-xs ${TONES[state]}`}>
            {state === "verified" && <CheckIcon className="size-3.5" />}
            {state === "failed" && <AlertIcon className="size-3.5" />}
            <span aria-hidden="true">{word(capability)}</span>
            <span className="sr-only">{said}</span>
          </li>
        );
      })}
    </ul>
  );
}

const TONES = { verified: "bg-accent-wash text-accent", declared: "bg-sunken text-soft", failed: "bg-danger-wash text-danger" } as const;
