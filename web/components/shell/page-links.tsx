"use client";

import Link from "next/link";
import type { ComponentType } from "react";
import { useText } from "@/lib/i18n";
import { ROUTES, type RouteName } from "@/lib/routes";
import { BlocksIcon, ChartIcon, ChatIcon, CubeIcon, GaugeIcon, KeyIcon, SlidersIcon, TimerIcon, TranslateIcon } from "../ui/icons";

const ICONS: Record<RouteName, ComponentType<{ className?: string }>> = {
  chat: ChatIcon,
  models: CubeIcon,
  plugins: BlocksIcon,
  keys: KeyIcon,
  runtime: GaugeIcon,
  config: SlidersIcon,
  usage: ChartIcon,
  translate: TranslateIcon,
  benchmark: TimerIcon,
};

/** The pages but the chat, which has the top of the menu to itself. */
export function PageLinks({ path }: { path: string }) {
  const { t } = useText();
  return (
    <nav aria-label={t.pages}>
      <ul className="grid grid-cols-2 gap-x-1">
        {ROUTES.filter((route) => route.path !== "/").map((route) => {
          const Icon = ICONS[route.name];
          return (
            <li key={route.path} className="min-w-0">
              <Link
                href={route.path} prefetch={false}
                aria-current={path === route.path ? "page" : undefined}
                className="flex items-center gap-2 rounded-lg px-2 py-1.5 text-sm text-soft hover:bg-hover hover:text-ink aria-[current]:bg-hover aria-[current]:font-medium aria-[current]:text-ink"
              >
                <Icon className="size-4 shrink-0" /> <span className="truncate">{t[`route_${route.name}`]}</span>
              </Link>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}
