import { getJson } from "./request";
import type { paths } from "./schema";
import type { GetPath } from "./types";

type ParamsOf<P extends GetPath> = paths[P] extends { get: { parameters: infer Q } } ? Omit<Q, "header" | "cookie"> : never;

interface Given {
  path?: Record<string, string | number>;
  query?: Record<string, string | number | boolean | readonly string[] | null | undefined>;
}

/** A route of the server's description with its parameters put in. */
export function filled(route: string, { path = {}, query = {} }: Given = {}): string {
  const at = route.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(path[name])));
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null) asked.append(name, String(one));
    }
  }
  return asked.size > 0 ? `${at}?${asked}` : at;
}

/**
 * A question for `useQuery`: `useQuery(asking("/api/v1/models/{name}/details", { path: { name } }))`.
 * Its key begins with the route as the server describes it, by which the feed finds it.
 */
export function asking<P extends GetPath>(path: P, params?: ParamsOf<P>) {
  return {
    queryKey: [path, params ?? null] as const,
    queryFn: ({ signal }: { signal: AbortSignal }) => getJson(path, filled(path, params as Given | undefined), signal),
  };
}
