"use client";

import { switched, type Branches, type Tree } from "@/lib/branches";
import { showBranch } from "@/lib/chat";
import { useArea } from "@/lib/i18n/area";
import answers from "@/lib/i18n/areas/answers";
import { ChevronIcon } from "../ui/icons";

interface Props {
  tree: Tree;
  branches: Branches;
  /** What they are branches of, for those who do not see it. */
  label: string;
}

/** Steps between what stands at one place of a conversation. A step that leads nowhere keeps the focus. */
export function BranchArrows({ tree, branches, label }: Props) {
  const { t, format } = useArea(answers);
  const { ids, at } = branches;
  const step = (by: -1 | 1) => {
    const leaf = switched(tree, ids[at] ?? "", by);
    if (leaf !== undefined) void showBranch(leaf);
  };
  const button = "button-quiet px-1 aria-disabled:opacity-40 aria-disabled:hover:bg-transparent";
  return (
    <div role="group" aria-label={label} data-testid="branches" className="flex items-center text-xs text-soft">
      <button type="button" className={button} aria-label={t.branch_before} title={t.branch_before} aria-disabled={at === 0} onClick={() => step(-1)}>
        <ChevronIcon className="size-4 rotate-90" />
      </button>
      <span role="status" className="tabular-nums">{t.branch_place(format.count(at + 1), format.count(ids.length))}</span>
      <button type="button" className={button} aria-label={t.branch_after} title={t.branch_after} aria-disabled={at === ids.length - 1} onClick={() => step(1)}>
        <ChevronIcon className="size-4 -rotate-90" />
      </button>
    </div>
  );
}
