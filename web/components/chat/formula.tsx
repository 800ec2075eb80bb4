"use client";

import "katex/dist/katex.min.css";
import katex from "katex";
import remarkMath from "remark-math";
import { useLayoutEffect, useRef } from "react";
import type { Options } from "react-markdown";

/** Reads what `withFormulas` has marked. */
export const READS_FORMULAS: NonNullable<Options["remarkPlugins"]> = [[remarkMath, { singleDollarTextMath: false }]];

// The macros of strangers are bounded.
const OPTIONS = { throwOnError: false, strict: "ignore", trust: false, maxExpand: 300, maxSize: 20, errorColor: "var(--color-danger)" } as const;

/** What KaTeX makes before it writes it into the page. */
interface Drawn {
  attributes?: Record<string, string>;
  children?: Drawn[];
  toNode: () => Node;
}

/** Exported by KaTeX, and left out of its types. */
const { __renderToDomTree: draw } = katex as unknown as { __renderToDomTree: (tex: string, options: object) => Drawn };

/** The policy of the page takes styles that a script sets, not those that stand in an attribute: there they say what `width` says. */
function withoutStyleAttributes(drawn: Drawn): Drawn {
  if (drawn.attributes) delete drawn.attributes.style;
  drawn.children?.forEach(withoutStyleAttributes);
  return drawn;
}

/** One formula, set. A wide one scrolls, so the keyboard must be able to get there. */
export function Formula({ tex, alone }: { tex: string; alone: boolean }) {
  const place = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    place.current?.replaceChildren(withoutStyleAttributes(draw(tex, { ...OPTIONS, displayMode: alone })).toNode());
  }, [tex, alone]);
  return <span ref={place} className={alone ? "formula-alone" : undefined} tabIndex={alone ? 0 : undefined} />;
}
