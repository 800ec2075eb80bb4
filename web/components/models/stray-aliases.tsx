"use client";

import { useQuery } from "@tanstack/react-query";
import { api, asking } from "@/lib/api/client";
import type { ModelRecord } from "@/lib/api/types";
import { useActing } from "@/lib/acting";
import { strays } from "@/lib/aliases";
import { recordOf } from "@/lib/errors";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/models";
import { ErrorNote } from "../ui/error-note";
import { AliasRow } from "./alias-row";

/** The names that no installed model shows as its own: what they stand for is gone, or is a name itself. */
export function StrayAliases({ models }: { models: readonly ModelRecord[] }) {
  const { t } = useArea(texts);
  const query = useQuery(asking("/api/v1/models/aliases"));
  const act = useActing("/api/v1/models/aliases");
  const found = strays(query.data?.aliases ?? [], models);
  const forget = (name: string) => act.mutate(() => api.DELETE("/api/v1/models/aliases/{name}", { params: { path: { name } } }));
  return (
    <section aria-labelledby="strays" className="space-y-3" hidden={found.length === 0 && !act.data && !act.error}>
      <div className="space-y-1">
        <h2 id="strays" className="font-semibold">{t.strays}</h2>
        <p className="text-sm text-soft">{t.strays_text}</p>
      </div>
      <ul className="space-y-1.5">
        {found.map((alias) => <AliasRow key={alias.name} alias={alias} withTarget disabled={act.isPending} onForget={() => forget(alias.name)} />)}
      </ul>
      <p role="status" className="text-sm text-soft empty:hidden">{act.data}</p>
      {act.error && <ErrorNote error={recordOf(act.error)} />}
    </section>
  );
}
