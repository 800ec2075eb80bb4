"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, asking } from "@/lib/api/client";
import type { Schemas } from "@/lib/api/types";
import { recordOf } from "@/lib/errors";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/plugins";
import { outdated } from "@/lib/queries";
import { draftOf, fieldOf, problemOf, updatesOf, type Draft, type FieldSchema } from "@/lib/setting-fields";
import { SettingField } from "../settings/setting-field";
import { Answer } from "../ui/answer";
import { ErrorNote } from "../ui/error-note";

/** The settings of a plugin's providers, each a form of its own. */
export function PluginSettings({ plugin }: { plugin: string }) {
  const { t } = useArea(texts);
  const query = useQuery(asking("/api/v1/plugins/{plugin_id}/settings", { path: { plugin_id: plugin } }));
  return (
    <Answer query={query} isEmpty={(told) => told.providers.every((one) => one.settings.length === 0)} empty={t.no_settings}>
      {(told) =>
        told.providers.filter((one) => one.settings.length > 0).map((form) => (
          <ProviderForm key={form.provider} form={form} titled={told.providers.length > 1} />
        ))
      }
    </Answer>
  );
}

/** The last part of a key is the setting's name, by which the schema has it. */
const nameOf = (key: string) => key.slice(key.lastIndexOf(".") + 1);

function ProviderForm({ form, titled }: { form: Schemas["ProviderForm"]; titled: boolean }) {
  const { t } = useArea(texts);
  const [drafts, setDrafts] = useState<ReadonlyMap<string, Draft | null>>(new Map());
  const fields = form.settings.map((one) => fieldOf(one, (form.schema.properties[nameOf(one.key)] ?? {}) as FieldSchema));
  const updates = updatesOf(fields, drafts);
  const count = Object.keys(updates).length;
  const isWrong = fields.some((field) => {
    const draft = drafts.get(field.key);
    return draft !== undefined && draft !== null && problemOf(field.schema, draft) !== null;
  });
  const save = useMutation({
    mutationFn: async () => (await api.POST("/api/v1/config/runtime", { body: { updates } })).data,
    onSuccess: async () => {
      await outdated("/api/v1/plugins", "/api/v1/config");
      setDrafts(new Map());
    },
  });
  const change = (key: string, draft: Draft | null) => {
    save.reset();
    setDrafts((old) => new Map(old).set(key, draft));
  };
  const restart = save.data?.restart_required ?? [];
  return (
    <form
      aria-label={t.settings_of(form.title)} className="space-y-5"
      onSubmit={(event) => {
        event.preventDefault();
        if (count > 0 && !isWrong && !save.isPending) save.mutate();
      }}
    >
      {titled && <h4 className="text-sm font-semibold">{form.title}</h4>}
      {form.warnings.map((warning) => <p key={warning} className="text-sm text-warn">{warning}</p>)}
      {fields.map((field) => (
        <SettingField
          key={field.key} name={nameOf(field.key)} field={field}
          draft={drafts.has(field.key) ? (drafts.get(field.key) ?? null) : draftOf(field)}
          onChange={(draft) => change(field.key, draft)}
        />
      ))}
      {save.isError && <ErrorNote error={recordOf(save.error)} />}
      <div className="flex flex-wrap items-center gap-3">
        <button type="submit" className="button-accent" disabled={count === 0 || isWrong || save.isPending}>{t.save}</button>
        {count > 0 && (
          <button type="button" className="button" onClick={() => setDrafts(new Map())}>{t.discard}</button>
        )}
        <p role="status" className="text-sm text-soft">
          {save.isSuccess ? save.data?.message : count > 0 ? t.unsaved(count) : ""}
          {restart.length > 0 && ` ${t.needs_restart(restart.join(", "))}`}
        </p>
      </div>
    </form>
  );
}
