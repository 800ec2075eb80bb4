"use client";

import type { Schemas } from "@/lib/api/types";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/getting";
import { Fix } from "../ui/sentence";

type Trouble = Pick<Schemas["SearchView"], "error" | "fix" | "stale" | "code"> & { success: boolean };

/** Why a source's answer is old or missing. That the network is away is no fault of anybody's. */
export function SourceTrouble({ answer: { success, error, fix, code } }: { answer: Trouble }) {
  const { t } = useArea(texts);
  if (error === null) return null;
  return (
    <div role="note" data-testid="source-trouble" className="card space-y-1.5 px-4 py-3 text-sm">
      <p>{success ? t.old : t.away}</p>
      <p className="text-soft">{error}</p>
      {fix && <div className="text-soft"><Fix fix={fix} /></div>}
      {code && <p className="font-mono text-xs text-soft">{code}</p>}
    </div>
  );
}
