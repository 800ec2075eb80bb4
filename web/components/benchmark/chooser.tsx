"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useState } from "react";
import { canChat, MODELS } from "@/lib/catalogue";
import type { ModelRecord } from "@/lib/api/types";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/benchmark";
import { Answer } from "../ui/answer";

/** As many as the server takes. */
const MOST = 8;
const QUESTIONS = [1, 2, 3, 4, 5, 6];

interface Props {
  isStarting: boolean;
  onStart: (wanted: { models: string[]; num_questions: number }) => void;
}

export function Chooser({ isStarting, onStart }: Props) {
  const { t } = useArea(texts);
  const query = useQuery(MODELS);
  const [chosen, setChosen] = useState<string[]>([]);
  const [questions, setQuestions] = useState(3);
  const models = (query.data?.models ?? []).filter(canChat);
  const there = chosen.filter((name) => models.some((model) => model.reference === name));
  const toggle = (name: string, on: boolean) => setChosen(on ? [...there, name] : there.filter((one) => one !== name));
  return (
    <form
      className="card space-y-4 p-4 sm:p-5"
      onSubmit={(event) => {
        event.preventDefault();
        if (there.length > 0) onStart({ models: there, num_questions: questions });
      }}
    >
      <Answer
        query={query} isEmpty={() => models.length === 0}
        empty={<p className="flex flex-wrap items-center gap-3">{t.none} <Link href="/" className="button">{t.get_model}</Link></p>}
      >
        {() => (
          <>
            <fieldset className="space-y-2">
              <legend className="font-medium">{t.choose}</legend>
              <p className="text-sm text-soft">{t.choose_text(MOST)}</p>
              <ul className="grid gap-x-4 sm:grid-cols-2">
                {models.map((model) => (
                  <li key={model.reference}>
                    <Choice
                      model={model} checked={there.includes(model.reference)}
                      disabled={there.length >= MOST && !there.includes(model.reference)}
                      onChange={(on) => toggle(model.reference, on)}
                    />
                  </li>
                ))}
              </ul>
            </fieldset>
            <div className="flex flex-wrap items-center gap-x-4 gap-y-3">
              <label className="flex items-center gap-2 text-sm">
                {t.questions}
                <select className="field !w-auto" value={questions} onChange={(event) => setQuestions(Number(event.target.value))}>
                  {QUESTIONS.map((count) => <option key={count}>{count}</option>)}
                </select>
              </label>
              <button type="submit" className="button-accent" disabled={there.length === 0 || isStarting}>
                {isStarting ? `${t.starting}…` : t.start}
              </button>
              {there.length > 0 && <p className="text-sm text-soft">{t.cost(there.length * (questions + 1))}</p>}
            </div>
          </>
        )}
      </Answer>
    </form>
  );
}

interface ChoiceProps {
  model: ModelRecord;
  checked: boolean;
  disabled: boolean;
  onChange: (on: boolean) => void;
}

function Choice({ model, checked, disabled, onChange }: ChoiceProps) {
  const { t, format } = useArea(texts);
  const facts = [
    model.runs_at ? t.runs_at(model.runs_at) : model.provider,
    model.size_bytes !== null && format.bytes(model.size_bytes),
    model.quantization,
  ].filter(Boolean);
  return (
    <label className="flex items-center gap-3 rounded-lg px-2 py-1.5 hover:bg-hover">
      <input type="checkbox" className="size-4 shrink-0 accent-accent" checked={checked} disabled={disabled} onChange={(event) => onChange(event.target.checked)} />
      <span className="min-w-0 text-sm">
        <span className="block [overflow-wrap:anywhere]">{model.id}</span>
        <span className="text-xs text-soft">{facts.join(" · ")}</span>
      </span>
    </label>
  );
}
