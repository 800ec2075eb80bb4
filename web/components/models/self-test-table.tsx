"use client";

import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/self-test";
import { counted, grouped, type Outcome, type Question, type Row } from "@/lib/self-tests";
import { AlertIcon, CheckIcon } from "../ui/icons";

/** What a question is about; one of a newer server stands for itself. */
export function useQuestionWord(): (question: Question) => string {
  const { t } = useArea(texts);
  return ({ group, name }) => (t as unknown as Record<string, string>)[`${group} ${name}`] ?? name;
}

/** What a model was asked, in groups, and what it did. */
export function SelfTestTable({ rows }: { rows: readonly Row[] }) {
  const { t, format } = useArea(texts);
  const heading = (group: string) => (t as unknown as Record<string, string>)[`group ${group}`] ?? group;
  return (
    <div className="space-y-3">
      <p className="text-sm">{counted(rows).map(([outcome, count]) => t[`${outcome}_count`](count, format.count(count))).join(" · ")}</p>
      <table className="w-full text-left text-sm">
        <caption className="sr-only">{t.table}</caption>
        <thead className="sr-only">
          <tr><th scope="col">{t.what}</th><th scope="col">{t.outcome}</th></tr>
        </thead>
        {grouped(rows).map((group) => (
          <tbody key={group.name} className="divide-y divide-line">
            <tr><th scope="rowgroup" colSpan={2} className="pt-4 pb-1.5 text-xs font-medium text-soft">{heading(group.name)}</th></tr>
            {group.rows.map((row) => <Line key={row.name} row={row} />)}
          </tbody>
        ))}
      </table>
    </div>
  );
}

function Line({ row }: { row: Row }) {
  const { t } = useArea(texts);
  const word = useQuestionWord();
  const isCode = row.group === "parameters" && !row.name.includes(" ");
  return (
    <tr className="align-top">
      <th scope="row" className="py-2 pr-4 font-normal">
        {word(row)} {isCode && <code className="font-mono text-xs text-soft [overflow-wrap:anywhere]">{row.name}</code>}
      </th>
      <td className="w-2/5 py-2">
        <span className={`flex gap-1.5 ${TONES[row.outcome]}`}>
          {MARKS[row.outcome]} <span>{t[row.outcome]}</span>
        </span>
        {row.note && <span className="block text-xs text-soft [overflow-wrap:anywhere]">{row.note}</span>}
      </td>
    </tr>
  );
}

const TONES: Record<Outcome, string> = { honoured: "text-accent", emulated: "text-accent", refused: "text-soft", broken: "text-danger" };

const MARK = "mt-0.5 size-4 shrink-0";
const MARKS: Record<Outcome, React.ReactNode> = {
  honoured: <CheckIcon className={MARK} />,
  emulated: <CheckIcon className={MARK} />,
  refused: <span className={`${MARK} text-center leading-none`} aria-hidden="true">–</span>,
  broken: <AlertIcon className={MARK} />,
};
