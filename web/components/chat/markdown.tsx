"use client";

import { Children, isValidElement, memo, type ReactElement, type ReactNode } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { openFence, splitBlocks } from "@/lib/blocks";
import { CodeBlock } from "./code-block";

const PLUGINS = [remarkGfm];

function textOf(node: ReactNode): string {
  return Children.toArray(node)
    .map((child) => {
      if (isValidElement(child)) return textOf((child as ReactElement<{ children?: ReactNode }>).props.children);
      return String(child);
    })
    .join("");
}

// An answer sits below the page's headings, and loads nothing from elsewhere: a picture becomes a
// link to it (the content security policy would block it anyway).
const COMPONENTS: Components = {
  h1: ({ children }) => <h3>{children}</h3>,
  h2: ({ children }) => <h3>{children}</h3>,
  h3: ({ children }) => <h4>{children}</h4>,
  a: ({ href, children }) => <a href={href} target="_blank" rel="noreferrer noopener">{children}</a>,
  img: ({ src, alt }) => (
    <a href={typeof src === "string" ? src : undefined} target="_blank" rel="noreferrer noopener">{alt || String(src)}</a>
  ),
  input: ({ checked }) => <span aria-hidden="true">{checked ? "☑" : "☐"} </span>,
  table: ({ children }) => (
    <div className="table-scroll" tabIndex={0} role="region" aria-label="table">
      <table>{children}</table>
    </div>
  ),
  code: ({ children }) => <code className="code-chip">{children}</code>,
  pre: ({ children }) => {
    const code = Children.toArray(children).find((child) => isValidElement(child)) as
      | ReactElement<{ className?: string; children?: ReactNode }>
      | undefined;
    const language = /language-(\S+)/.exec(code?.props.className ?? "")?.[1] ?? "";
    return <CodeBlock language={language} code={textOf(code?.props.children).replace(/\n$/, "")} />;
  },
};

const Block = memo(function Block({ text }: { text: string }) {
  const open = openFence(text);
  return (
    <div className="block">
      {open ? (
        <CodeBlock language={open.language} code={open.code} />
      ) : (
        <ReactMarkdown remarkPlugins={PLUGINS} components={COMPONENTS}>
          {text}
        </ReactMarkdown>
      )}
    </div>
  );
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
