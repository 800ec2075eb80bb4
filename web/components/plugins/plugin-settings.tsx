"use client";

import { useQuery } from "@tanstack/react-query";
import { asking } from "@/lib/api/client";
import type { Schemas } from "@/lib/api/types";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/plugins";
import { changesOf, drafts, settingsOf, undraft, type Setting } from "@/lib/settings";
import { useStore } from "@/lib/store";
import { DoneNote, useSaving } from "../config/saving";
import { SettingRow } from "../config/setting-row";
import { Answer } from "../ui/answer";
import { ErrorNote } from "../ui/error-note";

/** The settings of a plugin's providers: the part of the page of settings that is theirs, what was typed there included. */
export function PluginSettings({ plugin }: { plugin: string }) {
  const { t } = useArea(texts);
  const query = useQuery(asking("/api/v1/plugins/{plugin_id}/settings", { path: { plugin_id: plugin } }));
  const config = useQuery(asking("/api/v1/config/runtime"));
  return (
    <Answer query={query} isEmpty={(told) => told.providers.every((one) => one.settings.length === 0)} empty={t.no_settings}>
      {(told) => (
        <Answer query={config}>
          {(view) => told.providers.filter((one) => one.settings.length > 0).map((form) => {
            const settings = settingsOf(view).filter((one) => one.group === `providers.${form.provider}`);
            return <ProviderForm key={form.provider} form={form} settings={settings} titled={told.providers.length > 1} />;
          })}
        </Answer>
      )}
    </Answer>
  );
}

interface Props {
  form: Schemas["ProviderForm"];
  settings: Setting[];
  titled: boolean;
}

function ProviderForm({ form, settings, titled }: Props) {
  const { t } = useArea(texts);
  const typed = useStore(drafts);
  const saving = useSaving();
  const changes = changesOf(settings, typed);
  const isWrong = changes.some((one) => one.problem !== undefined);
  return (
    <form
      aria-label={t.settings_of(form.title)} className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        // What is refused is told below.
        if (changes.length > 0 && !isWrong && !saving.isSaving) saving.save(changes).catch(() => undefined);
      }}
    >
      {titled && <h3 className="text-sm font-semibold">{form.title}</h3>}
      {form.warnings.map((warning) => <p key={warning} className="text-sm text-warn">{warning}</p>)}
      <ul className="divide-y divide-line rounded-xl border border-line">
        {settings.map((one) => (
          <SettingRow key={one.name} setting={one} typed={typed[one.name]} refusal={saving.refusalOf(one.name)} />
        ))}
      </ul>
      {saving.refusal && !settings.some((one) => saving.about.has(one.name)) && <ErrorNote error={saving.refusal} />}
      {saving.done && <DoneNote done={saving.done} settings={settings} onClose={saving.forget} />}
      <div className="flex flex-wrap items-center gap-3">
        <button type="submit" className="button-accent" disabled={changes.length === 0 || isWrong || saving.isSaving}>{t.save}</button>
        {changes.length > 0 && (
          <>
            <button type="button" className="button" onClick={() => undraft(...changes.map((one) => one.setting.name))}>{t.discard}</button>
            <p className="text-sm text-soft">{t.unsaved(changes.length)}</p>
          </>
        )}
      </div>
    </form>
  );
}
