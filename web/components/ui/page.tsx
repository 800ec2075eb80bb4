"use client";

import type { ReactNode } from "react";
import { MenuButton } from "../shell/shell";

interface Props {
  title: string;
  /** One sentence on what the page is for. */
  intro?: string;
  /** Buttons beside the title. */
  actions?: ReactNode;
  /** Tables and charts need more room than text. */
  wide?: boolean;
  children: ReactNode;
}

/** The frame of every page but the chat: its heading, its measure, the menu of narrow screens. */
export function Page({ title, intro, actions, wide = false, children }: Props) {
  return (
    <>
      <header className="flex h-14 shrink-0 items-center gap-2 px-3 md:hidden">
        <MenuButton />
      </header>
      <main id="content" tabIndex={-1} className="min-h-0 flex-1 scroll-pb-32 overflow-y-auto outline-none">
        <div className="mx-auto max-w-6xl space-y-6 px-5 pt-2 pb-16 md:pt-14">
          <div className="space-y-1.5">
            <div className="flex min-h-9 flex-wrap items-center justify-between gap-x-4 gap-y-2">
              <h1 className="min-w-0 text-2xl font-semibold tracking-tight">{title}</h1>
              {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
            </div>
            {intro && <p className="max-w-4xl text-soft">{intro}</p>}
          </div>
          {wide ? children : <div className="max-w-4xl space-y-6">{children}</div>}
        </div>
      </main>
    </>
  );
}
