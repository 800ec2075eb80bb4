import { useId, type ReactNode } from "react";

/** One group of settings under its heading. */
export function Section({ title, intro, children }: { title: string; intro?: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="space-y-3">
      <div className="space-y-1">
        <h3 id={id} className="font-medium">{title}</h3>
        {intro && <p className="text-[0.8125rem] leading-relaxed text-soft">{intro}</p>}
      </div>
      {children}
    </section>
  );
}

/** What cannot be done with this model, and why. */
export function Honestly({ children }: { children: ReactNode }) {
  return <p className="rounded-lg bg-sunken px-3 py-2.5 text-[0.8125rem] leading-relaxed">{children}</p>;
}
