"use client";

import { memo, useId } from "react";
import { changeOf, draft, typedFrom, undraft, type Drafts, type Setting } from "@/lib/settings";
import type { ErrorRecord } from "@/lib/errors";
import { DocsLink, Fix, Sentence } from "../ui/sentence";
import { SettingField } from "./setting-field";
import { useWords, type Words } from "./words";

interface Props {
  setting: Setting;
  typed: Drafts[string] | undefined;
  /** What the server said of it when it was to be saved. */
  refusal: ErrorRecord | null;
}

/** The element that an error of a setting is about. */
export const fieldId = (name: string) => `setting-${name}`;

export const SettingRow = memo(function SettingRow({ setting, typed, refusal }: Props) {
  const words = useWords();
  const { t } = words;
  const notes = useId();
  const label = words.labelOf(setting);
  const change = changeOf(setting, typed);
  const shown = typeof typed === "string" || typeof typed === "boolean" ? typed : typed === null ? presetOf(setting) : typedFrom(setting);
  const problem = change?.problem;
  const error = refusal ?? (change ? null : setting.error) ?? null;
  return (
    <li className={`grid gap-x-6 gap-y-2 px-4 py-4 sm:px-5 lg:grid-cols-[minmax(0,1fr)_minmax(0,20rem)] ${change ? "bg-accent-wash/60" : ""}`}>
      <div className="min-w-0 space-y-1">
        <div className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5">
          <label htmlFor={fieldId(setting.name)} className="font-medium">{label}</label>
          <Marks setting={setting} words={words} />
        </div>
        <p className="text-sm text-soft"><Sentence text={setting.form.description ?? ""} /></p>
        <p className="font-mono text-xs text-soft [overflow-wrap:anywhere]">{setting.key}</p>
      </div>
      <div className="min-w-0 space-y-1.5">
        <SettingField
          id={fieldId(setting.name)} setting={setting} label={label} typed={shown} describedBy={notes}
          invalid={problem !== undefined || error !== null} onType={(next) => draft(setting.name, next)}
        />
        <div id={notes} className="space-y-1 text-xs text-soft">
          {problem && <p role="alert" className="text-danger">{words.problemOf(problem)}</p>}
          {error && !problem && <Refused error={error} />}
          {!problem && <Hint setting={setting} words={words} />}
          {typed === null && change && <p>{setting.secret ? t.will_remove : t.will_default}</p>}
        </div>
        <Buttons setting={setting} label={label} changed={change !== undefined} words={words} />
      </div>
    </li>
  );
});

/** What a field shows once its setting is to go back to the default. */
function presetOf(setting: Setting): string | boolean {
  return typedFrom({ ...setting, value: setting.form.default ?? null });
}

function Marks({ setting, words: { t } }: { setting: Setting; words: Words }) {
  const { origin, secret, value, waits, restart } = setting;
  return (
    <span className="flex flex-wrap gap-x-2 text-xs text-soft">
      {secret && <span>{value === null ? t.not_set : t.is_set}</span>}
      {!(secret && value === null) && <span className={origin === "default" ? "" : "font-medium text-accent"}>{t[`origin_${origin ?? "none"}`]}</span>}
      {waits ? <span className="font-medium text-warn">{t.waits}</span> : restart && <span>{t.after_restart}</span>}
    </span>
  );
}

/** Bounds and default; of a fixed setting, what fixes it. */
function Hint({ setting, words }: { setting: Setting; words: Words }) {
  const { t, number } = words;
  const { form, fixedBy, secret, origin } = setting;
  if (fixedBy) {
    return <p><Sentence text={fixedBy.startsWith("--") ? t.fixed_flag(fixedBy) : t.fixed_env(fixedBy)} /></p>;
  }
  const [low, high] = [form.minimum, form.maximum].map((bound) => (bound === undefined ? null : number.format(bound)));
  const bounds = low && high ? t.between(low, high) : low ? t.at_least(low) : high ? t.at_most(high) : null;
  const preset = !secret && origin !== "default" && form.default !== undefined ? t.default_is(words.valueOf(form.default)) : null;
  const parts = [bounds, form.type === "array" ? t.one_a_line : null, preset].filter(Boolean);
  return parts.length > 0 ? <p>{parts.join(" · ")}</p> : null;
}

function Refused({ error }: { error: ErrorRecord }) {
  return (
    <div role="alert" lang={error.lang} className="space-y-1 text-danger">
      <p className="[overflow-wrap:anywhere]">{error.message}</p>
      {error.fix && <div className="text-ink"><Fix fix={error.fix} /></div>}
      <p><DocsLink docs={error.docs} code={error.code} /></p>
    </div>
  );
}

interface ButtonsProps {
  setting: Setting;
  label: string;
  changed: boolean;
  words: Words;
}

function Buttons({ setting, label, changed, words: { t } }: ButtonsProps) {
  const { name, origin, secret, fixedBy, error } = setting;
  if (changed) {
    return (
      <button type="button" className="button-quiet -ml-2" aria-label={t.undo_of(label)} onClick={() => undraft(name)}>{t.undo}</button>
    );
  }
  if (fixedBy !== null || (origin !== "file" && !error)) return null;
  return (
    <button
      type="button" className="button-quiet -ml-2" aria-label={secret ? t.remove_secret_of(label) : t.use_default_of(label)}
      onClick={() => draft(name, null)}
    >
      {secret ? t.remove_secret : t.use_default}
    </button>
  );
}
