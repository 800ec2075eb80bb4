"use client";

import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { asking } from "@/lib/api/client";
import { drafts, grouped, matches, settingsOf, type ConfigView, type Setting } from "@/lib/settings";
import { useStore } from "@/lib/store";
import { Answer } from "../ui/answer";
import { AlertIcon } from "../ui/icons";
import { Page } from "../ui/page";
import { Sentence } from "../ui/sentence";
import { Backups } from "./backups";
import { useSaving, Waiting } from "./saving";
import { SaveBar } from "./save-bar";
import { SettingRow } from "./setting-row";
import { useWords } from "./words";

export function ConfigPage() {
  const { t } = useWords();
  const query = useQuery(asking("/api/v1/config/runtime"));
  return (
    <Page title={t.title} intro={t.text} wide>
      <Answer query={query}>{(view) => <Settings view={view} />}</Answer>
    </Page>
  );
}

function Settings({ view }: { view: ConfigView }) {
  const { t, labelOf } = useWords();
  const settings = useMemo(() => settingsOf(view), [view]);
  const [find, setFind] = useState("");
  const [onlySet, setOnlySet] = useState(false);
  const saving = useSaving();
  const typed = useStore(drafts);
  const shown = settings.filter(
    (one) => matches(one, labelOf(one), find) && (!onlySet || one.origin !== "default" || one.name in typed),
  );
  return (
    <>
      <Waiting settings={settings} />
      <Warnings warnings={view.warnings} />
      <div className="flex flex-wrap items-center gap-x-5 gap-y-3">
        <input
          type="search" className="field max-w-md flex-1 basis-60" aria-label={t.find} placeholder={t.find}
          value={find} onChange={(event) => setFind(event.target.value)}
        />
        <label className="flex items-center gap-2 text-sm">
          <input type="checkbox" className="size-4 accent-accent" checked={onlySet} onChange={(event) => setOnlySet(event.target.checked)} />
          {t.only_set}
        </label>
      </div>
      <div className="gap-8 xl:grid xl:grid-cols-[12rem_minmax(0,1fr)]">
        <GroupLinks settings={shown} />
        <div className="min-w-0 space-y-8">
          {shown.length === 0 && (
            <div role="status" className="space-y-3 text-soft">
              <p>{find === "" ? t.none_set : t.none_found}</p>
              <button type="button" className="button" onClick={() => (setFind(""), setOnlySet(false))}>{t.clear}</button>
            </div>
          )}
          <Groups settings={shown} saving={saving} />
          {find === "" && <Backups settings={settings} onRestored={saving.restored} />}
          <p className="text-xs text-soft"><Sentence text={t.file(view.file)} /></p>
        </div>
      </div>
      <SaveBar settings={settings} saving={saving} />
    </>
  );
}

function Groups({ settings, saving }: { settings: Setting[]; saving: ReturnType<typeof useSaving> }) {
  const { groupOf } = useWords();
  const typed = useStore(drafts);
  return grouped(settings).map(([group, inside]) => (
    <section key={group} aria-labelledby={`group-${group}`} className="space-y-3">
      <h2 id={`group-${group}`} className="scroll-mt-4 text-lg font-semibold tracking-tight">{groupOf(group)}</h2>
      <ul className="card divide-y divide-line overflow-hidden">
        {inside.map((one) => (
          <SettingRow key={one.name} setting={one} typed={typed[one.name]} refusal={saving.refusalOf(one.name)} />
        ))}
      </ul>
    </section>
  ));
}

function GroupLinks({ settings }: { settings: Setting[] }) {
  const { t, groupOf } = useWords();
  const links = [...grouped(settings).map(([group]) => [`group-${group}`, groupOf(group)]), ["backups", t.backups]];
  return (
    <nav aria-label={t.groups} className="hidden xl:block">
      <ul className="sticky top-4 space-y-0.5">
        {links.map(([id, name]) => (
          <li key={id}>
            <a href={`#${id}`} className="block rounded-lg px-2 py-1.5 text-sm text-soft hover:bg-hover hover:text-ink">{name}</a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Warnings({ warnings }: { warnings: string[] }) {
  const { t } = useWords();
  if (warnings.length === 0) return null;
  return (
    <section aria-label={t.warnings} className="flex gap-3 rounded-xl border border-line bg-raised p-4 text-sm">
      <AlertIcon className="mt-0.5 size-4.5 shrink-0 text-warn" />
      <ul className="min-w-0 space-y-1 [overflow-wrap:anywhere]">
        {warnings.map((sentence) => <li key={sentence}><Sentence text={sentence} /></li>)}
      </ul>
    </section>
  );
}
