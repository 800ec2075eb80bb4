/** What every refusal of the API carries; the page shows the same record as the command line. */
export interface ErrorRecord {
  code: string;
  message: string;
  fix?: string | null;
  docs?: string | null;
  /** The field of the request that it is about; of several, separated by ", ". */
  param?: string | null;
  /** Of the message and the fix; they are kept as they were said. */
  lang?: string;
  /** Where it is about several fields: what is said of each. */
  parts?: ErrorRecord[];
}

/** Faults that the page itself finds; their sentences are in the dictionaries. */
export const CLIENT_CODES = ["client_unreachable", "client_bad_answer", "client_incomplete"] as const;
export type ClientCode = (typeof CLIENT_CODES)[number];

export class ApiError extends Error implements ErrorRecord {
  readonly code: string;
  readonly fix: string | null;
  readonly docs: string | null;
  readonly param: string | null;
  readonly lang: string;
  readonly parts?: ErrorRecord[];
  readonly status: number;

  constructor(record: ErrorRecord, status = 0) {
    super(record.message);
    this.name = "ApiError";
    this.code = record.code;
    this.fix = record.fix ?? null;
    this.docs = record.docs ?? null;
    this.param = record.param ?? null;
    this.lang = record.lang ?? "en";
    this.parts = record.parts;
    this.status = status;
  }

  record(): ErrorRecord {
    return { code: this.code, message: this.message, fix: this.fix, docs: this.docs, param: this.param, lang: this.lang, ...(this.parts && { parts: this.parts }) };
  }
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** `{"error": {...}}` of /v1, `{"detail", "code", "fix"}` of the rest, or whatever else came. */
export function errorFrom(payload: unknown, status = 0, lang = "en"): ApiError {
  const outer = (payload ?? {}) as Record<string, unknown>;
  const inner = typeof outer.error === "object" && outer.error !== null ? outer.error : outer;
  const fields = inner as Record<string, unknown>;
  const fix = text(fields.fix);
  const said = text(fields.message) ?? text(fields.detail) ?? text(outer.error);
  // Under /v1 the fix ends the message, for clients that show nothing else; here it is shown apart.
  const message = fix && said?.endsWith(` ${fix}`) ? said.slice(0, -fix.length - 1) : said;
  return new ApiError(
    {
      code: text(fields.code) ?? text(fields.type) ?? (message ? `http_${status}` : "client_bad_answer"),
      message: message ?? `HTTP ${status}`,
      fix,
      docs: text(fields.docs),
      param: text(fields.param),
      lang,
      parts: Array.isArray(fields.parts) ? fields.parts.map((part) => errorFrom(part, status, lang).record()) : undefined,
    },
    status,
  );
}

/** Anything thrown, as a record; a fault that is not ours keeps its own sentence. */
export function recordOf(thrown: unknown): ErrorRecord {
  if (thrown instanceof ApiError) return thrown.record();
  return { code: "client_bad_answer", message: thrown instanceof Error ? thrown.message : String(thrown) };
}

export function isAbort(thrown: unknown): boolean {
  return thrown instanceof DOMException && thrown.name === "AbortError";
}
