"use client";

import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/models";
import { selfTests } from "@/lib/self-tests";
import { useStore } from "@/lib/store";

/** That a model is being tested, or could not be, for who closed its details meanwhile. */
export function BeingTested({ reference, onShow }: { reference: string; onShow: () => void }) {
  const { t, format } = useArea(texts);
  const run = useStore(selfTests)[reference];
  if (run?.status !== "running" && run?.status !== "failed") return null;
  return (
    <button type="button" className="button-quiet -ml-2 w-fit text-left tabular-nums" aria-haspopup="dialog" onClick={onShow}>
      {run.status === "failed" ? t.test_failed : t.being_tested(format.count(run.rows.length), format.count(run.questions.length))}
    </button>
  );
}
