"use client";

import { useState, type FormEvent } from "react";
import { useActing } from "@/lib/acting";
import { api } from "@/lib/api/client";
import { recordOf } from "@/lib/errors";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/getting";
import { ErrorNote } from "../ui/error-note";
import { DownloadIcon } from "../ui/icons";
import { Sentence } from "../ui/sentence";

/** For whoever knows the name already. How far it is stands above the tabs. */
export function GetByName() {
  const { t } = useArea(texts);
  const [name, setName] = useState("");
  const act = useActing("/api/v1/models/operations");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    act.mutate(() => api.POST("/api/v1/models/install", { body: { name: name.trim() } }), { onSuccess: () => setName("") });
  };
  return (
    <section className="space-y-3 border-t border-line pt-6">
      <h2 className="font-semibold">{t.by_name}</h2>
      <p className="text-sm text-soft"><Sentence text={t.by_name_text} /></p>
      <form className="flex gap-2" onSubmit={submit}>
        <input className="field" aria-label={t.by_name_label} value={name} maxLength={500} onChange={(event) => setName(event.target.value)} />
        <button type="submit" className="button shrink-0" disabled={act.isPending || name.trim() === ""}><DownloadIcon /> {t.get}</button>
      </form>
      <p role="status" className="text-sm text-soft empty:hidden">{act.data}</p>
      {act.error && <ErrorNote error={recordOf(act.error)} />}
    </section>
  );
}
