import createFetchClient from "openapi-fetch";
import { ApiError } from "../errors";
import { request } from "./request";
import type { paths } from "./schema";
import type { GetPath, JsonOf } from "./types";

/** Sends what openapi-fetch made as every request of this page is sent; a refusal is thrown, and so is what is no JSON. */
async function sendTyped(made: Request): Promise<Response> {
  const { pathname, search } = new URL(made.url);
  const { method, headers, signal } = made;
  const body = method === "GET" || method === "HEAD" ? null : await made.text();
  const response = await request(pathname + search, { method, headers, signal, body: body === "" ? null : body });
  const isJson = response.headers.get("Content-Type")?.includes("json") ?? false;
  if (response.status !== 204 && !isJson) {
    throw new ApiError({ code: "client_bad_answer", message: `${pathname}: no JSON` }, response.status);
  }
  return response;
}

/** Without a page, in a test, an address is needed all the same. */
const origin = typeof window === "undefined" ? "http://127.0.0.1" : window.location.origin;

/** The server's operations, typed by its own description: `api.POST("/api/v1/keys", { body })`. */
export const api = createFetchClient<paths>({ baseUrl: origin, fetch: sendTyped });

type ParamsOf<P extends GetPath> = paths[P] extends { get: { parameters: infer Q } } ? Omit<Q, "header" | "cookie"> : never;

/**
 * A question for `useQuery`: `useQuery(asking("/api/v1/models/{name}/details", { path: { name } }))`.
 * Its key begins with the route as the server describes it, by which the feed finds it.
 */
export function asking<P extends GetPath>(path: P, params?: ParamsOf<P>) {
  const get = api.GET as (path: string, init: object) => Promise<{ data?: unknown }>;
  return {
    queryKey: [path, params ?? null] as const,
    queryFn: async ({ signal }: { signal: AbortSignal }) => (await get(path, { params, signal })).data as JsonOf<P>,
  };
}
