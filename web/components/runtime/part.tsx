import type { ReactNode } from "react";

interface Props {
  id: string;
  title: string;
  text?: string;
  children: ReactNode;
}

/** A part of a page with a heading of its own, by which it is found. */
export function Part({ id, title, text, children }: Props) {
  return (
    <section aria-labelledby={id} className="space-y-3">
      <div>
        <h2 id={id} className="text-lg font-semibold tracking-tight">{title}</h2>
        {text && <p className="text-sm text-soft">{text}</p>}
      </div>
      {children}
    </section>
  );
}
