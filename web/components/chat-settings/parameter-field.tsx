"use client";

import { useId, useState } from "react";
import type { Schemas } from "@/lib/api/types";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/chat-settings";
import { CloseIcon } from "../ui/icons";

type Parameter = Schemas["ParameterView"];

interface Props {
  name: string;
  parameter: Parameter;
  /** The value of this chat; undefined where the model's affairs are its own. */
  chosen: unknown;
  /** What is sent where this chat says nothing; undefined where the engine decides. */
  effective: unknown;
  origin: string | undefined;
  onChange: (value: unknown) => void;
}

const shownValue = (value: unknown): string => {
  if (Array.isArray(value)) return value.map((one) => JSON.stringify(one)).join(", ");
  return value === null || value === undefined ? "" : String(value);
};

/** One parameter: its control, what it does, and where the value that holds comes from. */
export function ParameterField({ name, parameter, chosen, effective, origin, onChange }: Props) {
  const { t, lang } = useArea(texts);
  const id = useId();
  const words = t as unknown as Record<string, string | undefined>;
  const label = words[name] ?? name;
  const usual = typeof parameter.default === "number" ? new Intl.NumberFormat(lang).format(parameter.default) : shownValue(parameter.default);
  const from = chosen !== undefined ? t.origin_chat : origin === "override" ? t.origin_saved : origin !== undefined ? t.origin_model : t.origin_engine;
  const control = { id, parameter, value: chosen ?? effective, onChange, describedBy: `${id}-about` };
  return (
    <div className="space-y-1.5">
      <div className="flex items-baseline justify-between gap-3">
        <label htmlFor={id} className="font-medium">{label}</label>
        <span data-testid={`origin-${name}`} className={`text-xs ${chosen !== undefined ? "text-accent" : "text-soft"}`}>{from}</span>
      </div>
      <div className="flex items-center gap-2">
        {parameter.type === "enum" ? <Choice {...control} /> : parameter.type === "list" ? <Lines {...control} /> : <NumberControl {...control} label={label} />}
        {chosen !== undefined && (
          <button type="button" className="button-icon size-8" aria-label={t.reset_one(label)} title={t.reset_one(label)} onClick={() => onChange(undefined)}>
            <CloseIcon />
          </button>
        )}
      </div>
      <p id={`${id}-about`} className="text-xs leading-relaxed text-soft">
        {parameter.desc} {chosen === undefined && effective === undefined && usual !== "" && t.usual(usual)}
      </p>
    </div>
  );
}

interface ControlProps {
  id: string;
  describedBy: string;
  parameter: Parameter;
  value: unknown;
  onChange: (value: unknown) => void;
}

function Choice({ id, describedBy, parameter, value, onChange }: ControlProps) {
  const { t } = useArea(texts);
  return (
    <select id={id} aria-describedby={describedBy} className="field" value={typeof value === "string" ? value : ""} onChange={(event) => onChange(event.target.value || undefined)}>
      <option value="">{t.not_set}</option>
      {parameter.options?.map((option) => <option key={option} value={option}>{option}</option>)}
    </select>
  );
}

function Lines({ id, describedBy, value, onChange }: ControlProps) {
  const { t } = useArea(texts);
  const lines = Array.isArray(value) ? value.map(String) : typeof value === "string" ? [value] : [];
  const change = (text: string) => onChange(text === "" ? undefined : text.split("\n").filter((line) => line !== ""));
  return (
    <textarea
      id={id} aria-describedby={describedBy} rows={2} placeholder={t.one_a_line} className="field font-mono"
      key={lines.join("\n")} defaultValue={lines.join("\n")}
      onBlur={(event) => event.target.value !== lines.join("\n") && change(event.target.value)}
    />
  );
}

/** A number is taken while it is right; until then the field says what is wrong and nothing changes. */
function NumberControl({ id, describedBy, parameter, value, onChange, label }: ControlProps & { label: string }) {
  const { t } = useArea(texts);
  const { min, max, type } = parameter;
  const current = typeof value === "number" ? value : null;
  const [written, write] = useState<{ text: string; of: number | null } | null>(null);
  const text = written && written.of === current ? written.text : current === null ? "" : String(current);
  const ranged = min !== undefined && max !== undefined && type === "float";
  const problem = text.trim() === "" ? null : problemOf(text, parameter);
  const put = (next: string) => {
    const number = next.trim() === "" ? undefined : Number(next.replace(",", "."));
    const good = number === undefined || problemOf(next, parameter) === null;
    write({ text: next, of: good ? (number ?? null) : current });
    if (good) onChange(number);
  };
  const wrong = problem === "bounds" ? t.wrong_bounds(String(min ?? ""), String(max ?? "∞")) : problem && t.wrong_number;
  return (
    <div className="min-w-0 flex-1 space-y-1">
      <div className="flex items-center gap-3">
        {ranged && (
          <input
            type="range" aria-label={label} min={min} max={max} step={(max - min) / 100 <= 0.01 ? 0.01 : 0.05}
            value={current ?? (typeof parameter.default === "number" ? parameter.default : min)}
            className={`min-w-0 flex-1 accent-accent ${current === null ? "opacity-50" : ""}`}
            onChange={(event) => put(String(Number(event.target.value)))}
          />
        )}
        <input
          id={id} aria-describedby={describedBy} aria-invalid={problem !== null || undefined} inputMode={type === "int" ? "numeric" : "decimal"} autoComplete="off"
          className={`field tabular-nums ${ranged ? "w-20 shrink-0" : ""}`} placeholder={shownValue(parameter.default)}
          value={text} onChange={(event) => put(event.target.value)}
          onBlur={() => problem !== null && write(null)}
        />
      </div>
      {wrong && <p role="alert" className="text-xs text-danger">{wrong}</p>}
    </div>
  );
}

function problemOf(text: string, { type, min, max }: Parameter): "number" | "bounds" | null {
  const number = Number(text.replace(",", "."));
  if (!Number.isFinite(number) || (type === "int" && !Number.isSafeInteger(number))) return "number";
  return (min !== undefined && number < min) || (max !== undefined && number > max) ? "bounds" : null;
}
