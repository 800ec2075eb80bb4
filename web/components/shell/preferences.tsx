"use client";

import { useId } from "react";
import { chooseLanguage, LANGUAGE_NAMES, LANGUAGES, useText, type Language } from "@/lib/i18n";
import { useStore } from "@/lib/store";
import { chooseTheme, theme, THEMES, type Theme } from "@/lib/theme";

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  options: readonly { value: T; text: string; lang?: string }[];
  onChoose: (value: T) => void;
}

function Choice<T extends string>({ label, value, options, onChoose }: ChoiceProps<T>) {
  const id = useId();
  return (
    <div className="min-w-0 flex-1">
      <label htmlFor={id} className="sr-only">{label}</label>
      <select
        id={id}
        value={value}
        title={label}
        className="w-full rounded-lg border border-line bg-raised px-1.5 py-1.5 text-[0.8125rem] text-ink hover:bg-hover"
        onChange={(event) => onChoose(event.target.value as T)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value} lang={option.lang}>{option.text}</option>
        ))}
      </select>
    </div>
  );
}

export function Preferences() {
  const { t, lang } = useText();
  const current = useStore(theme);
  return (
    <div className="flex gap-2 px-2">
      <Choice<Language>
        label={t.language}
        value={lang}
        options={LANGUAGES.map((value) => ({ value, text: LANGUAGE_NAMES[value], lang: value }))}
        onChoose={chooseLanguage}
      />
      <Choice<Theme>
        label={t.theme}
        value={current}
        options={THEMES.map((value) => ({ value, text: t[`theme_${value}`] }))}
        onChoose={chooseTheme}
      />
    </div>
  );
}
