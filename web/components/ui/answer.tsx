"use client";

import type { ReactNode } from "react";
import { recordOf } from "@/lib/errors";
import { useText } from "@/lib/i18n";
import { allowAsking } from "@/lib/key";
import { ErrorNote } from "./error-note";

/** Of a query of TanStack, what this needs. */
interface Asked<T> {
  data: T | undefined;
  error: unknown;
  isPending: boolean;
  refetch: () => unknown;
}

interface Props<T> {
  query: Asked<T>;
  /** Whether there is nothing to show; `empty` says so and what to do. */
  isEmpty?: (data: T) => boolean;
  empty?: ReactNode;
  children: (data: T) => ReactNode;
}

/** What the server said, or that it is on its way, that there is nothing, or why it was refused; an older answer stays under a refusal. */
export function Answer<T>({ query, isEmpty, empty, children }: Props<T>) {
  const { t } = useText();
  const { data, error } = query;
  const again = () => {
    allowAsking();
    query.refetch();
  };
  return (
    <>
      {error !== null && error !== undefined && (
        <ErrorNote error={recordOf(error)}>
          <button type="button" className="button" onClick={again}>{t.retry}</button>
        </ErrorNote>
      )}
      {data === undefined && query.isPending && <p role="status" className="text-soft">{t.loading}…</p>}
      {data !== undefined && (isEmpty?.(data) ? <div className="text-soft">{empty ?? t.empty}</div> : children(data))}
    </>
  );
}
