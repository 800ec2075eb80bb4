"use client";

import { useId, useState, type FormEvent, type ReactNode } from "react";
import { recordOf } from "@/lib/errors";
import { useText } from "@/lib/i18n";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/keys";
import { keyBody, NAME_PATTERN, SCOPES, type NewKeyBody } from "@/lib/key-form";
import { ErrorNote } from "../ui/error-note";
import { Sentence } from "../ui/sentence";

interface Props {
  first: boolean;
  error: unknown;
  busy: boolean;
  onMake: (body: NewKeyBody) => void;
  onCancel: () => void;
}

const DAYS = [7, 30, 90, 365];

/** What a new key is called, may do, and how long it lasts. */
export function KeyForm({ first, error, busy, onMake, onCancel }: Props) {
  const { t } = useArea(texts);
  const { t: shared } = useText();
  const [some, setSome] = useState(false);
  const [unchosen, setUnchosen] = useState(false);
  const [administers, setAdministers] = useState(true);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const body = keyBody(new FormData(event.currentTarget));
    setUnchosen(body.scopes?.length === 0);
    if (body.scopes?.length !== 0) onMake(body);
  };
  const look = (event: FormEvent<HTMLFormElement>) => {
    const { scopes } = keyBody(new FormData(event.currentTarget));
    setAdministers(!scopes || scopes.includes("admin"));
    if (scopes?.length !== 0) setUnchosen(false);
  };
  return (
    <form className="space-y-5 text-sm" onSubmit={submit} onChange={look}>
      <p className="leading-relaxed text-soft">{t.new_text}</p>
      {first && <p className="rounded-lg bg-sunken/60 px-3.5 py-3 leading-relaxed">{t.first_text}</p>}
      <Labelled label={t.name} hint={t.name_hint}>
        {(ids) => <input {...ids} name="name" required data-first maxLength={100} pattern={NAME_PATTERN} autoComplete="off" className="field" />}
      </Labelled>
      <fieldset className="space-y-2">
        <legend className="mb-1.5 font-medium">{t.allowed}</legend>
        <label className="flex items-center gap-2"><input type="radio" name="all" value="all" className="accent-accent" checked={!some} onChange={() => setSome(false)} /> {t.everything}</label>
        <label className="flex items-center gap-2"><input type="radio" name="all" value="some" className="accent-accent" checked={some} onChange={() => setSome(true)} /> {t.allowed_some}</label>
        {some && (
          <div className="space-y-2 pl-6">
            {SCOPES.map((scope) => (
              <label key={scope} className="flex items-start gap-2">
                <input type="checkbox" name={`scope_${scope}`} defaultChecked={scope === "chat"} className="mt-0.5 accent-accent" />
                <span>
                  {t[`scope_${scope}`]} <code className="code-chip">{scope}</code>
                  <span className="block text-xs text-soft">{t[`scope_${scope}_text`]}</span>
                </span>
              </label>
            ))}
          </div>
        )}
        {unchosen && <p role="alert" className="font-medium text-danger">{t.choose_scope}</p>}
        {first && !administers && <p role="status" className="text-warn"><Sentence text={t.first_limited} /></p>}
      </fieldset>
      <Labelled label={t.models} hint={t.models_hint}>
        {(ids) => <input {...ids} name="models" autoComplete="off" spellCheck={false} className="field font-mono" />}
      </Labelled>
      <div className="grid gap-4 sm:grid-cols-3">
        {(["requests_per_day", "tokens_per_day"] as const).map((name) => (
          <Labelled key={name} label={t[name]}>
            {(ids) => <input {...ids} name={name} type="number" min={1} step={1} inputMode="numeric" placeholder={t.no_limit} className="field" />}
          </Labelled>
        ))}
        <Labelled label={t.lasts}>
          {(ids) => (
            <select {...ids} name="expires_in_days" className="field">
              <option value="">{t.lasts_always}</option>
              {DAYS.map((days) => <option key={days} value={days}>{t.lasts_days(days)}</option>)}
            </select>
          )}
        </Labelled>
      </div>
      {error !== null && error !== undefined && <ErrorNote error={recordOf(error)} />}
      <div className="flex justify-end gap-2">
        <button type="button" className="button" onClick={onCancel}>{shared.cancel}</button>
        <button type="submit" className="button-accent" disabled={busy}>{t.make}</button>
      </div>
    </form>
  );
}

function Labelled({ label, hint, children }: { label: string; hint?: string; children: (ids: { id: string; "aria-describedby"?: string }) => ReactNode }) {
  const id = useId();
  return (
    <div className="space-y-1.5">
      <label htmlFor={id} className="block font-medium">{label}</label>
      {children({ id, "aria-describedby": hint ? `${id}-hint` : undefined })}
      {hint && <p id={`${id}-hint`} className="text-xs text-soft">{hint}</p>}
    </div>
  );
}
