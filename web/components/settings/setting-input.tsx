"use client";

import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/settings";
import { draftOf, type Draft, type FieldOf } from "@/lib/setting-fields";

interface Props {
  id: string;
  name: string;
  field: FieldOf;
  draft: Draft | null;
  onChange: (draft: Draft) => void;
  invalid: boolean;
}

/** The control that suits the type of a setting. */
export function SettingInput({ id, name, field, draft, onChange, invalid }: Props) {
  const { t } = useArea(texts);
  const { schema } = field;
  const value = draft ?? draftOf({ schema, value: schema.default ?? null });
  const shared = { id, disabled: field.fixedBy !== null, "aria-describedby": `${id}-about`, "aria-invalid": invalid };
  if (typeof value === "boolean") {
    return (
      <span className="flex items-center gap-2 text-sm">
        <input {...shared} type="checkbox" className="size-4 accent-accent" checked={value} onChange={(event) => onChange(event.target.checked)} />
        <span aria-hidden="true">{value ? t.yes : t.no}</span>
      </span>
    );
  }
  if (Array.isArray(value)) return <Choices {...shared} name={name} options={schema.items?.enum ?? []} chosen={value} onChange={onChange} />;
  if (schema.enum) {
    return (
      <select {...shared} className="field" value={value} onChange={(event) => onChange(event.target.value)}>
        {!schema.enum.map(String).includes(value) && <option value={value}>{value || t.not_chosen}</option>}
        {schema.enum.map((one) => <option key={one} value={String(one)}>{one}</option>)}
      </select>
    );
  }
  if (schema.type === "array") {
    return <textarea {...shared} rows={3} spellCheck={false} className="field font-mono text-[0.8125rem]" value={value} onChange={(event) => onChange(event.target.value)} />;
  }
  const isNumber = schema.type === "integer" || schema.type === "number";
  return (
    <input
      {...shared} className="field" value={value} spellCheck={false}
      type={schema.writeOnly ? "password" : "text"} autoComplete={schema.writeOnly ? "new-password" : "off"}
      inputMode={isNumber ? "decimal" : undefined}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

interface ChoicesProps {
  id: string;
  name: string;
  disabled: boolean;
  options: readonly (string | number)[];
  chosen: string[];
  onChange: (chosen: string[]) => void;
  "aria-describedby": string;
}

function Choices({ id, name, disabled, options, chosen, onChange, ...rest }: ChoicesProps) {
  const toggled = (option: string, on: boolean) => {
    const kept = options.map(String).filter((one) => (one === option ? on : chosen.includes(one)));
    onChange(kept);
  };
  return (
    <div role="group" id={id} aria-label={name} aria-describedby={rest["aria-describedby"]} className="flex flex-wrap gap-x-4 gap-y-1.5">
      {options.map(String).map((option) => (
        <label key={option} className="flex items-center gap-2 text-sm">
          <input
            type="checkbox" className="size-4 accent-accent" disabled={disabled} checked={chosen.includes(option)}
            onChange={(event) => toggled(option, event.target.checked)}
          />
          {option}
        </label>
      ))}
    </div>
  );
}
