"use client";

import { useId } from "react";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/chat-settings";
import type { JsonProblem } from "@/lib/json-field";

interface Props {
  label: string;
  text: string;
  hint: string;
  problem: JsonProblem | null;
  exampleLabel: string;
  example: string;
  onChange: (text: string) => void;
}

function useProblem(problem: JsonProblem | null): string | null {
  const { t } = useArea(texts);
  if (problem === null) return null;
  if (problem.kind === "syntax") return problem.line === null ? t.problem_syntax : t.problem_syntax_line(problem.line);
  if (problem.kind === "bad_tool") return t.problem_bad_tool(problem.at);
  return t[`problem_${problem.kind}`];
}

/** JSON that a person writes, checked while it is written. */
export function JsonText({ label, text, hint, problem, exampleLabel, example, onChange }: Props) {
  const { t } = useArea(texts);
  const id = useId();
  const said = useProblem(problem);
  const empty = text.trim() === "";
  return (
    <div className="space-y-1.5">
      <label htmlFor={id} className="block font-medium">{label}</label>
      <textarea
        id={id} aria-describedby={`${id}-about`} aria-invalid={(!empty && problem !== null) || undefined} spellCheck={false} rows={6}
        className="field field-sizing-content max-h-80 min-h-32 resize-y font-mono text-[0.8125rem] leading-relaxed"
        value={text} onChange={(event) => onChange(event.target.value)}
      />
      <p id={`${id}-about`} role="status" className={`text-xs leading-relaxed ${!empty && said ? "text-danger" : "text-soft"}`}>
        {empty ? hint : said ? `${said} ${t.problem_held}` : t.checked}
      </p>
      {empty && <button type="button" className="button" onClick={() => onChange(example)}>{exampleLabel}</button>}
    </div>
  );
}
