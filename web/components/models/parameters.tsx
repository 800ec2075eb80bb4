"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { api, asking } from "@/lib/api/client";
import type { Schemas } from "@/lib/api/types";
import { recordOf } from "@/lib/errors";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/models";
import { fieldsOf, parametersOf, text, type ParameterView } from "@/lib/parameter-form";
import { outdated } from "@/lib/queries";
import { Answer } from "../ui/answer";
import { ErrorNote } from "../ui/error-note";
import { RetryIcon } from "../ui/icons";

/** The generation parameters of a model: what is in force, where it comes from, and one's own. */
export function Parameters({ name }: { name: string }) {
  const { t } = useArea(texts);
  const query = useQuery(asking("/api/v1/models/{name}/config", { path: { name }, query: {} }));
  return (
    <Answer query={query} isEmpty={(view) => Object.keys(view.generation_schema).length === 0} empty={t.parameters_none}>
      {(view) => <Form key={JSON.stringify(view.saved)} view={view} />}
    </Answer>
  );
}

function Form({ view }: { view: Schemas["GenerationView"] }) {
  const { t } = useArea(texts);
  const schema = view.generation_schema;
  const [fields, setFields] = useState(() => fieldsOf(schema, view.saved));
  const { params, wrong } = parametersOf(schema, fields);
  const save = useMutation({
    mutationFn: (wanted: Record<string, unknown>) =>
      api.POST("/api/v1/models/{name}/config", { params: { path: { name: view.reference } }, body: { params: wanted } }),
    onSuccess: () => outdated("/api/v1/models/{name}/config"),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (wrong.length === 0) save.mutate(params);
  };
  return (
    <form className="space-y-4" onSubmit={submit} aria-busy={save.isPending}>
      <p className="text-sm text-soft">{t.parameters_text}</p>
      <ul className="space-y-4">
        {Object.entries(schema).map(([name, parameter]) => (
          <li key={name}>
            <Field name={name} parameter={parameter} view={view} value={fields[name] ?? ""} wrong={wrong.includes(name)} onChange={(value) => setFields({ ...fields, [name]: value })} />
          </li>
        ))}
      </ul>
      {save.error && <ErrorNote error={recordOf(save.error)} />}
      <div className="sticky bottom-0 -mx-2 flex flex-wrap items-center justify-end gap-2 bg-page px-2 py-3">
        <p role="status" className="mr-auto text-sm text-soft">{save.isSuccess && t.parameters_saved}</p>
        {Object.keys(view.saved).length > 0 && <button type="button" className="button" onClick={() => save.mutate({})}>{t.parameters_reset}</button>}
        <button type="submit" className="button-accent" disabled={save.isPending || wrong.length > 0}>{t.parameters_save}</button>
      </div>
    </form>
  );
}

interface FieldProps {
  name: string;
  parameter: ParameterView;
  view: Schemas["GenerationView"];
  value: string;
  wrong: boolean;
  onChange: (value: string) => void;
}

function Field({ name, parameter, view, value, wrong, onChange }: FieldProps) {
  const { t } = useArea(texts);
  const hint = `hint-${name}`;
  const own = value.trim() !== "";
  const shared = { id: `field-${name}`, className: "field", value, "aria-describedby": hint, "aria-invalid": wrong || undefined };
  const inForce = text(view.effective[name]) || text(parameter.default) || t.parameter_unset;
  const origin = own ? t.origin_override : view.origins[name] === "model" ? t.origin_model : t.origin_none;
  return (
    <div className="space-y-1">
      <div className="flex items-baseline justify-between gap-3">
        <label htmlFor={shared.id} className="font-mono text-[0.8125rem] font-medium">{name}</label>
        <span className={`text-xs ${own ? "text-accent" : "text-soft"}`}>{origin}</span>
      </div>
      <div className="flex items-center gap-1.5">
        {parameter.type === "enum" && (
          <select {...shared} onChange={(event) => onChange(event.target.value)}>
            <option value="">{inForce}</option>
            {parameter.options?.map((option) => <option key={option} value={option}>{option}</option>)}
          </select>
        )}
        {parameter.type === "list" && <textarea {...shared} rows={2} placeholder={inForce} onChange={(event) => onChange(event.target.value)} />}
        {(parameter.type === "int" || parameter.type === "float") && (
          <input {...shared} inputMode="decimal" placeholder={inForce} onChange={(event) => onChange(event.target.value)} />
        )}
        {own && (
          <button type="button" className="button-icon" aria-label={t.parameter_back(name)} title={t.parameter_back(name)} onClick={() => onChange("")}><RetryIcon /></button>
        )}
      </div>
      <p id={hint} className="text-xs leading-relaxed text-soft">{wrong ? <span className="text-danger">{t.not_a_number}</span> : <Hint parameter={parameter} />}</p>
    </div>
  );
}

function Hint({ parameter: { desc, min, max, type } }: { parameter: ParameterView }) {
  const { t } = useArea(texts);
  const bounds = min === undefined ? null : max === undefined ? t.bound_min(String(min)) : t.bounds(String(min), String(max));
  return [desc, bounds && `(${bounds})`, type === "list" && t.lines].filter(Boolean).join(" ");
}
