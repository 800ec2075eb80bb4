import { ApiError, errorFrom, isAbort } from "../errors";
import { language } from "../i18n";
import { askForKey, signInCount } from "../key";
import type { GetPath, JsonOf } from "./types";

/**
 * A request as whoever is signed in, and in the language chosen here, which the browser's own
 * header does not know; a 401 asks for a key and sends the request again.
 */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  for (;;) {
    const count = signInCount();
    const headers = new Headers(init.headers);
    headers.set("Accept-Language", language.get());
    let response: Response;
    try {
      response = await fetch(path, { ...init, headers, cache: "no-store", credentials: "same-origin" });
    } catch (thrown) {
      if (isAbort(thrown)) throw thrown;
      throw new ApiError({ code: "client_unreachable", message: String(thrown) });
    }
    if (response.ok) return response;
    const refusal = errorFrom(await response.json().catch(() => null), response.status, languageOf(response));
    // Of a model elsewhere the same status is no question of our keys.
    const ours = response.status === 401 && refusal.code !== "ollama_sign_in_required";
    if (ours && (await askForKey(refusal, count))) {
      init.signal?.throwIfAborted();
      continue;
    }
    throw refusal;
  }
}

function languageOf(response: Response): string {
  return response.headers.get("Content-Language") ?? "en";
}

async function jsonOf<T>(path: string, response: Response): Promise<T> {
  try {
    return (await response.json()) as T;
  } catch {
    throw new ApiError({ code: "client_bad_answer", message: `${path}: no JSON` }, response.status);
  }
}

/** `path` is the route as the server describes it, `filled` the same with its parameters put in. */
export async function getJson<P extends GetPath>(path: P, filled: string = path, signal?: AbortSignal): Promise<JsonOf<P>> {
  return jsonOf<JsonOf<P>>(path, await request(filled, { signal }));
}

export function post(path: string, body: unknown, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (body !== null) headers.set("Content-Type", "application/json");
  return request(path, { ...init, method: "POST", body: body === null ? null : JSON.stringify(body), headers });
}

export async function postJson<T>(path: string, body: unknown, init?: RequestInit): Promise<T> {
  return jsonOf<T>(path, await post(path, body, init));
}
