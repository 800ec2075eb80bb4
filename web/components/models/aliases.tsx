"use client";

import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { api, asking } from "@/lib/api/client";
import { useActing } from "@/lib/acting";
import { recordOf } from "@/lib/errors";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/models";
import { Answer } from "../ui/answer";
import { ErrorNote } from "../ui/error-note";
import { PlusIcon } from "../ui/icons";
import { AliasRow } from "./alias-row";

/** The other names of one model. */
export function Aliases({ target }: { target: string }) {
  const { t } = useArea(texts);
  const [name, setName] = useState("");
  const query = useQuery(asking("/api/v1/models/aliases"));
  const act = useActing("/api/v1/models/aliases");
  const add = (event: FormEvent) => {
    event.preventDefault();
    act.mutate(() => api.POST("/api/v1/models/aliases", { body: { name: name.trim(), target } }), { onSuccess: () => setName("") });
  };
  const forget = (alias: string) => act.mutate(() => api.DELETE("/api/v1/models/aliases/{name}", { params: { path: { name: alias } } }));
  return (
    <div className="space-y-4">
      <p className="text-sm text-soft">{t.aliases_text}</p>
      <Answer query={query}>
        {({ aliases }) => {
          const mine = aliases.filter((alias) => alias.target === target);
          if (mine.length === 0) return <p className="text-sm">{t.aliases_none}</p>;
          return (
            <ul className="space-y-1.5">
              {mine.map((alias) => <AliasRow key={alias.name} alias={alias} disabled={act.isPending} onForget={() => forget(alias.name)} />)}
            </ul>
          );
        }}
      </Answer>
      <form className="flex flex-wrap items-end gap-2" onSubmit={add}>
        <label className="block min-w-40 flex-1 space-y-1 text-xs text-soft">
          <span className="block">{t.alias_name}</span>
          <input className="field" value={name} maxLength={100} onChange={(event) => setName(event.target.value)} />
        </label>
        <button type="submit" className="button" disabled={act.isPending || name.trim() === ""}><PlusIcon /> {t.alias_add}</button>
      </form>
      <p role="status" className="text-sm text-soft empty:hidden">{act.data}</p>
      {act.error && <ErrorNote error={recordOf(act.error)} />}
    </div>
  );
}
