"use client";

import { useEffect, useState, type ReactNode } from "react";
import { languageTitle } from "@/lib/code-languages";
import type { Highlighted } from "@/lib/highlight";
import { useArea } from "@/lib/i18n/area";
import answers from "@/lib/i18n/areas/answers";
import { CopyButton } from "../ui/copy-button";
import { WrapIcon } from "./answer-icons";

interface Props {
  /** As it was written behind the fence. */
  language: string;
  code: string;
  /** Nothing more of it comes. */
  whole?: boolean;
}

export function CodeBlock({ language, code, whole = true }: Props) {
  const { t } = useArea(answers);
  const [wrapped, wrap] = useState(false);
  const coloured = useHighlighted(language, code, whole);
  const title = languageTitle(language) || t.code;
  return (
    <div data-testid="code" className="overflow-hidden rounded-xl border border-line bg-raised">
      <div className="flex items-center gap-1 border-b border-line bg-sunken/50 py-0.5 pr-1 pl-4 text-xs text-soft">
        <span className="flex-1 truncate">{title}</span>
        <button type="button" className="button-quiet aria-pressed:text-accent" aria-pressed={wrapped} aria-label={t.wrap} title={t.wrap} onClick={() => wrap(!wrapped)}>
          <WrapIcon />
        </button>
        <CopyButton text={code} label={t.copy_code} />
      </div>
      {/* Long lines scroll, so the keyboard must be able to get there. */}
      <pre
        tabIndex={0}
        aria-label={title}
        role="region"
        className={`overflow-x-auto px-4 py-3 font-mono text-[0.8125rem] leading-relaxed ${wrapped ? "[overflow-wrap:anywhere] whitespace-pre-wrap" : "[overflow-wrap:normal]"}`}
      >
        <code>{coloured ? coloured.children.map(partOf) : code}</code>
      </pre>
    </div>
  );
}

/** Code in colours as soon as it is whole and its grammar is there; null until then. */
function useHighlighted(language: string, code: string, whole: boolean): Highlighted | null {
  const [made, keep] = useState<{ code: string; tree: Highlighted | null } | null>(null);
  useEffect(() => {
    if (!whole || language === "") return;
    let wanted = true;
    import("@/lib/highlight")
      .then((part) => part.highlighted(language, code))
      .then(
        (tree) => wanted && keep({ code, tree }),
        // It is read without colours as well.
        () => undefined,
      );
    return () => {
      wanted = false;
    };
  }, [language, code, whole]);
  return made?.code === code ? made.tree : null;
}

function partOf(node: Highlighted["children"][number], at: number): ReactNode {
  if (node.type === "text") return node.value;
  if (node.type !== "element") return null;
  const names = node.properties.className;
  return (
    <span key={at} className={Array.isArray(names) ? names.join(" ") : undefined}>
      {node.children.map(partOf)}
    </span>
  );
}
