"use client";

import "./markdown.css";
import { Children, isValidElement, memo, useEffect, useMemo, type ReactElement, type ReactNode } from "react";
import ReactMarkdown, { type Components, type Options } from "react-markdown";
import remarkGfm from "remark-gfm";
import { openFence, splitBlocks } from "@/lib/blocks";
import { withFormulas } from "@/lib/formulas";
import { useArea } from "@/lib/i18n/area";
import answers from "@/lib/i18n/areas/answers";
import { lazyPart } from "@/lib/lazy";
import { CodeBlock } from "./code-block";

const GFM: NonNullable<Options["remarkPlugins"]> = [remarkGfm];
const formulaPart = lazyPart(() => import("./formula"));

function textOf(node: ReactNode): string {
  return Children.toArray(node)
    .map((child) => {
      if (isValidElement(child)) return textOf((child as ReactElement<{ children?: ReactNode }>).props.children);
      return String(child);
    })
    .join("");
}

function Table({ children }: { children?: ReactNode }) {
  const { t } = useArea(answers);
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label={t.table}>
      <table>{children}</table>
    </div>
  );
}

/** The page loads nothing from elsewhere, and a browser that did would tell its owner who reads this. */
function Picture({ src, alt }: { src?: string; alt?: string }) {
  const { t } = useArea(answers);
  const name = t.picture(alt || src || "?");
  return src ? <Away href={src} why={t.picture_why}>{name}</Away> : <span className="text-soft">{name}</span>;
}

/** A link out of an answer; one that leads nowhere but into this page is no link. */
function Away({ href, why, children }: { href?: string; why?: string; children?: ReactNode }) {
  if (!href || !/^(https?|mailto|tel):/i.test(href)) return <span>{children}</span>;
  return <a href={href} title={why ?? href} target="_blank" rel="noreferrer noopener">{children}</a>;
}

// An answer sits below the page's headings.
const COMPONENTS: Components = {
  h1: ({ children }) => <h3>{children}</h3>,
  h2: ({ children }) => <h3>{children}</h3>,
  h3: ({ children }) => <h4>{children}</h4>,
  a: ({ href, children }) => <Away href={href}>{children}</Away>,
  img: ({ src, alt }) => <Picture src={typeof src === "string" ? src : undefined} alt={alt} />,
  input: ({ checked }) => <span aria-hidden="true">{checked ? "☑" : "☐"} </span>,
  table: ({ children }) => <Table>{children}</Table>,
  code: ({ className, children }) =>
    className?.includes("math-inline") ? <Set tex={textOf(children)} /> : <code className="code-chip">{children}</code>,
  pre: ({ children }) => {
    const code = Children.toArray(children).find((child) => isValidElement(child)) as
      | ReactElement<{ className?: string; children?: ReactNode }>
      | undefined;
    const text = textOf(code?.props.children).replace(/\n$/, "");
    if (code?.props.className?.includes("math-display")) return <Set tex={text} alone />;
    return <CodeBlock language={/language-(\S+)/.exec(code?.props.className ?? "")?.[1] ?? ""} code={text} />;
  },
};

function Set({ tex, alone = false }: { tex: string; alone?: boolean }) {
  const part = formulaPart.use();
  return part ? <part.Formula tex={tex} alone={alone} /> : <code className="code-chip">{tex}</code>;
}

function Parsed({ text }: { text: string }) {
  const formulas = useMemo(() => withFormulas(text), [text]);
  const part = formulaPart.use();
  const found = formulas !== null;
  useEffect(() => {
    if (found) void formulaPart.load();
  }, [found]);
  if (formulas !== null && part) return <ReactMarkdown remarkPlugins={[...GFM, ...part.READS_FORMULAS]} components={COMPONENTS}>{formulas}</ReactMarkdown>;
  return <ReactMarkdown remarkPlugins={GFM} components={COMPONENTS}>{text}</ReactMarkdown>;
}

const Block = memo(function Block({ text }: { text: string }) {
  const open = openFence(text);
  return <div className="block">{open ? <CodeBlock language={open.language} code={open.code} whole={false} /> : <Parsed text={text} />}</div>;
});

/** Markdown of an answer that may still be growing: only its last block is parsed again. */
export function Markdown({ text }: { text: string }) {
  return (
    <div className="prose">
      {splitBlocks(text).map((block, at) => (
        <Block key={at} text={block} />
      ))}
    </div>
  );
}
