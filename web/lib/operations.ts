import { asking } from "./api/client";
import type { Operation } from "./api/types";
import { queries, routeOf } from "./queries";

const ROUTE = "/api/v1/models/operations";

/** The newest installs, builds and removals; the feed keeps the answer new. */
export const RECENT = asking(ROUTE, { query: { limit: 50 } });

interface Recent {
  operations: Operation[];
  count: number;
}

/** Put what the feed told of an operation into every answer that lists operations. */
export function takeOperation(told: Operation): void {
  const change = (old: Recent | undefined): Recent | undefined => old && { ...old, ...withOperation(old, told) };
  queries.setQueriesData<Recent>({ predicate: (query) => routeOf(query) === ROUTE }, change);
}

export function withOperation({ operations }: Recent, told: Operation): Recent {
  const known = operations.some((one) => one.operation_id === told.operation_id);
  const next = known ? operations.map((one) => (one.operation_id === told.operation_id ? told : one)) : [told, ...operations];
  return { operations: next, count: next.length };
}

/** A state that the server gets some day does not compile until it is here. */
export function isOpen({ status }: Operation): boolean {
  switch (status) {
    case "pending":
    case "in_progress":
    case "paused":
      return true;
    case "completed":
    case "failed":
    case "cancelled":
      return false;
  }
}

/** The last word on each model: what is under way, waits, or failed and was not taken up again. */
export function unfinished(operations: readonly Operation[]): Operation[] {
  const latest = new Map<string, Operation>();
  for (const one of operations) if (!latest.has(one.reference)) latest.set(one.reference, one);
  return [...latest.values()].filter((one) => one.operation_type !== "remove" && (isOpen(one) || one.status === "failed"));
}

/** What fetches a model, or fetched it last, by the name that it was asked for or its reference. */
export function operationOf(operations: readonly Operation[], ...names: string[]): Operation | undefined {
  return operations.find((one) => one.operation_type === "install" && (names.includes(one.model_name) || names.includes(one.reference)));
}
