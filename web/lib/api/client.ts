import createFetchClient from "openapi-fetch";
import { ApiError } from "../errors";
import { request } from "./request";
import type { paths } from "./schema";

export { asking } from "./asking";

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
