"use client";

import type { Schemas } from "@/lib/api/types";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/models";
import { TrashIcon } from "../ui/icons";

interface Props {
  alias: Schemas["AliasRecord"];
  /** Whether what it stands for is not clear from where it is shown. */
  withTarget?: boolean;
  disabled: boolean;
  onForget: () => void;
}

/** Another name of a model, what is wrong with it, and the way to be rid of it. */
export function AliasRow({ alias: { name, target, problem }, withTarget = false, disabled, onForget }: Props) {
  const { t } = useArea(texts);
  return (
    <li className="flex items-center justify-between gap-3 rounded-lg bg-sunken py-1 pr-1 pl-3 text-sm">
      <span className="min-w-0 [overflow-wrap:anywhere]">
        <code className="font-mono text-[0.8125rem]">{name}</code> {withTarget && <span>{t.stands_for(target)}</span>} {problem && <span className="text-soft">{problem.message}</span>}
      </span>
      <button type="button" className="button-icon" aria-label={t.alias_remove(name)} title={t.alias_remove(name)} disabled={disabled} onClick={onForget}><TrashIcon /></button>
    </li>
  );
}
