"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { api, asking } from "@/lib/api/client";
import type { JsonOf } from "@/lib/api/types";
import { recordOf } from "@/lib/errors";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/translate";
import { outdated } from "@/lib/queries";
import { ROUTES } from "@/lib/routes";
import { Choice } from "../ui/choice";
import { ErrorNote } from "../ui/error-note";
import { StatusDot } from "../ui/status-dot";

const ROLE = "translation";

/** The model that translates, to be chosen. */
export function ModelChoice({ className }: { className?: string }) {
  const { t } = useArea(texts);
  const models = useQuery(asking("/api/v1/models"));
  const change = useMutation({
    mutationFn: async (name: string) =>
      name === "" ? api.POST("/api/v1/models/deactivate", { body: { role: ROLE } }) : api.POST("/api/v1/models/switch", { body: { name, role: ROLE, load: false } }),
    onSettled: () => outdated("/api/v1/translate", "/api/v1/models"),
  });
  const found = models.data?.models ?? [];
  const active = found.find((one) => one.active_roles.includes(ROLE))?.reference ?? "";
  const fitting = found.filter((one) => one.reference === active || (one.installed && !one.base_model && (one.capabilities === null || one.capabilities.includes("chat"))));
  if (fitting.length === 0) return null;
  return (
    <>
      <Choice
        label={t.model} value={active} className={className}
        options={[["", t.model_chat], ...fitting.map((one) => [one.reference, one.reference] as const)]}
        onChoose={(name) => change.mutate(name)}
      />
      {change.error && <div className="basis-full"><ErrorNote error={recordOf(change.error)} /></div>}
    </>
  );
}

/** Which model translates, and where it runs; or why none would. */
export function Chosen({ state }: { state: JsonOf<"/api/v1/translate"> }) {
  const { t } = useArea(texts);
  if (state.refusal) {
    return (
      <ErrorNote error={state.refusal}>
        <p className="w-full text-sm">{t.choose_first}</p>
        {ROUTES.some((route) => route.name === "models") && <Link href="/models" prefetch={false} className="button">{t.get}</Link>}
      </ErrorNote>
    );
  }
  if (state.model === null) return null;
  return (
    <p className="flex items-center gap-2 text-sm">
      <StatusDot tone="good" />
      <span className="min-w-0 [overflow-wrap:anywhere]">{t.would(state.model)}, {state.runs_at === null ? t.here : t.at(state.runs_at)}.</span>
    </p>
  );
}
