"use client";

import { useQuery } from "@tanstack/react-query";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/operations";
import { RECENT, unfinished } from "@/lib/operations";
import { OperationRow } from "./operation-row";

/** What is being fetched or built, waits or failed; whoever began it. */
export function Operations() {
  const { t } = useArea(texts);
  const shown = unfinished(useQuery(RECENT).data?.operations ?? []);
  if (shown.length === 0) return null;
  return (
    <section aria-label={t.title} className="space-y-2">
      <h2 className="text-sm font-medium">{t.title}</h2>
      <ul className="space-y-2">
        {shown.map((operation) => (
          <li key={operation.operation_id} className="card px-4 py-3.5">
            <p className="pb-2 text-sm font-medium [overflow-wrap:anywhere]">
              {operation.operation_type === "build" ? t.build(operation.model_name) : t.install(operation.model_name)}
            </p>
            <OperationRow operation={operation} />
          </li>
        ))}
      </ul>
    </section>
  );
}
