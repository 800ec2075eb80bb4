"use client";

import { Switch } from "@base-ui/react/switch";
import type { Setting } from "@/lib/settings";
import { useWords } from "./words";

interface Props {
  id: string;
  setting: Setting;
  label: string;
  typed: string | boolean;
  invalid: boolean;
  describedBy: string;
  onType: (typed: string | boolean) => void;
}

/** Texts that people write over several lines. */
const PROSE = new Set(["chat.simple_mode_system_prompt", "models.generation_overrides"]);

/** The control that suits a setting's type. */
export function SettingField({ id, setting, label, typed, invalid, describedBy, onType }: Props) {
  const { t } = useWords();
  const { form, secret, fixedBy } = setting;
  const shared = { id, disabled: fixedBy !== null, "aria-describedby": describedBy, "aria-invalid": invalid || undefined };
  const onChange = (event: { target: { value: string } }) => onType(event.target.value);
  const text = String(typed);
  if (form.type === "boolean") {
    return <Toggle id={id} label={label} disabled={fixedBy !== null} describedBy={describedBy} checked={typed === true} onChange={onType} />;
  }
  if (form.enum && !secret) {
    return (
      <select {...shared} className="field" value={text} onChange={onChange}>
        {(form.default === undefined || text === "") && <option value="">{t.no_value}</option>}
        {form.enum.map((choice) => <option key={choice}>{choice}</option>)}
      </select>
    );
  }
  if (secret && form.type !== "array") {
    return (
      <input
        {...shared} className="field" type="password" autoComplete="new-password" value={text} onChange={onChange}
        placeholder={setting.value === null ? t.not_set : t.new_secret}
      />
    );
  }
  if (form.type === "array" || PROSE.has(setting.key)) {
    const rows = Math.min(8, Math.max(2, text.split("\n").length));
    return <textarea {...shared} className="field" rows={rows} spellCheck={false} value={text} onChange={onChange} placeholder={secret && setting.value !== null ? t.new_secret : undefined} />;
  }
  const isNumber = form.type === "integer" || form.type === "number";
  const inputMode = form.type === "integer" ? "numeric" : isNumber ? "decimal" : form.format === "uri" ? "url" : undefined;
  return (
    <input
      {...shared} className={`field ${isNumber ? "tabular-nums" : ""}`} type="text" inputMode={inputMode} autoComplete="off"
      spellCheck={false} value={text} onChange={onChange} placeholder={setting.value === null ? t.not_set : undefined}
    />
  );
}

interface ToggleProps {
  id: string;
  label: string;
  disabled: boolean;
  describedBy: string;
  checked: boolean;
  onChange: (on: boolean) => void;
}

function Toggle({ id, label, disabled, describedBy, checked, onChange }: ToggleProps) {
  const { t } = useWords();
  return (
    <span className="flex items-center gap-2.5 py-1.5 text-sm">
      <Switch.Root
        id={id} nativeButton render={<button type="button" />} aria-label={label} aria-describedby={describedBy}
        checked={checked} disabled={disabled} onCheckedChange={onChange}
        className="flex h-6 w-10 shrink-0 items-center rounded-full border border-edge bg-sunken px-0.5 transition-colors data-[checked]:border-accent data-[checked]:bg-accent data-[disabled]:opacity-50"
      >
        <Switch.Thumb className="size-4.5 rounded-full bg-soft transition-transform data-[checked]:translate-x-4 data-[checked]:bg-on-accent" />
      </Switch.Root>
      <span aria-hidden="true">{checked ? t.yes : t.no}</span>
    </span>
  );
}
