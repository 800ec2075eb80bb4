"use client";

import { useId } from "react";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/settings";
import { problemOf, type Draft, type FieldOf } from "@/lib/setting-fields";
import { Fix } from "../ui/sentence";
import { SettingInput } from "./setting-input";

interface Props {
  name: string;
  field: FieldOf;
  /** What stands in it; null takes the setting out of the file. */
  draft: Draft | null;
  onChange: (draft: Draft | null) => void;
}

type Words = (typeof texts)["en"];

function boundsOf(t: Words, { schema }: FieldOf, count: (value: number) => string): string {
  const { minimum, maximum } = schema;
  if (minimum !== undefined && maximum !== undefined) return t.between(count(minimum), count(maximum));
  if (minimum !== undefined) return t.at_least(count(minimum));
  return maximum === undefined ? "" : t.at_most(count(maximum));
}

function shownDefault(t: Words, { schema }: FieldOf): string {
  const told = schema.default;
  if (schema.writeOnly || told === undefined || told === null) return "";
  if (typeof told === "boolean") return t.default_is(told ? t.yes : t.no);
  if (Array.isArray(told)) return told.length === 0 ? "" : t.default_is(told.join(", "));
  return t.default_is(String(told));
}

/** A setting with its name, its field, what it is for, its bounds and its default, and where its value comes from. */
export function SettingField({ name, field, draft, onChange }: Props) {
  const { t, lang } = useArea(texts);
  const id = useId();
  const { schema, origin, fixedBy, error } = field;
  const numbers = new Intl.NumberFormat(lang, { maximumFractionDigits: 6 });
  const facts = [
    boundsOf(t, field, (value) => numbers.format(value)),
    shownDefault(t, field),
    schema.type === "array" && !schema.items?.enum ? t.one_a_line : "",
  ].filter(Boolean);
  const problem = draft === null ? null : problemOf(schema, draft);
  const isSet = schema.writeOnly && field.value !== null;
  return (
    <div className="space-y-1.5">
      <div className="flex flex-wrap items-baseline justify-between gap-x-3">
        <label htmlFor={id} className="font-mono text-[0.8125rem] font-medium [overflow-wrap:anywhere]">{name}</label>
        {origin && <span className="text-xs text-soft">{t[`origin_${origin}`]}</span>}
      </div>
      <SettingInput id={id} name={name} field={field} draft={draft} onChange={onChange} invalid={problem !== null} />
      <div id={`${id}-about`} className="space-y-1 text-xs text-soft">
        {problem && <p role="alert" className="text-danger">{t[problem]}</p>}
        <p>{schema.description} {facts.join(" ")}</p>
        {schema.writeOnly && <p>{draft === null ? t.secret_removed : isSet ? t.secret_set : t.secret_unset}</p>}
        {fixedBy && <p>{t.fixed_by(fixedBy)}</p>}
      </div>
      {error && (
        <div className="space-y-1 rounded-lg border border-danger-line bg-danger-wash px-3 py-2 text-sm">
          <p>{error.message}</p>
          {error.fix && <Fix fix={error.fix} />}
        </div>
      )}
      {!fixedBy && origin === "file" && draft !== null && (
        <button
          type="button" className="button-quiet -ml-2 text-xs"
          aria-label={schema.writeOnly ? `${t.secret_remove}: ${name}` : t.back_to_default_of(name)}
          onClick={() => onChange(null)}
        >
          {schema.writeOnly ? t.secret_remove : t.back_to_default}
        </button>
      )}
    </div>
  );
}
