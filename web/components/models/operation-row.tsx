"use client";

import { api } from "@/lib/api/client";
import type { Operation } from "@/lib/api/types";
import { useActing } from "@/lib/acting";
import { errorFrom, recordOf } from "@/lib/errors";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/operations";
import { timeLeft } from "@/lib/time-left";
import { ErrorNote } from "../ui/error-note";
import { CloseIcon, PauseIcon, PlayIcon } from "../ui/icons";

/** How far an operation is, how fast, how long it takes still, and what can be done about it. */
export function OperationRow({ operation }: { operation: Operation }) {
  const { t, lang } = useArea(texts);
  const act = useActing("/api/v1/models/operations");
  const { status, operation_id, model_name: name } = operation;
  const params = { path: { operation_id } };
  const pause = () => act.mutate(() => api.POST("/api/v1/models/operations/{operation_id}/pause", { params }).then(unsaid));
  const resume = () => act.mutate(() => api.POST("/api/v1/models/operations/{operation_id}/resume", { params }).then(unsaid));
  const cancel = () => act.mutate(() => api.POST("/api/v1/models/operations/{operation_id}/cancel", { params }).then(unsaid));
  const failed = status === "failed";
  return (
    <div className="space-y-2" aria-busy={act.isPending}>
      {failed ? <ErrorNote error={errorFrom({ ...operation, message: operation.error }, 500, lang).record()} /> : <Meter operation={operation} />}
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 text-sm text-soft">
        <p className="min-w-0 tabular-nums"><Figures operation={operation} /></p>
        <div className="ml-auto flex gap-1.5">
          {(status === "pending" || status === "in_progress") && (
            <button type="button" className="button" aria-label={t.pause_of(name)} disabled={act.isPending} onClick={pause}><PauseIcon /> {t.pause}</button>
          )}
          {(status === "paused" || failed) && (
            <button type="button" className="button" aria-label={failed ? t.retry_of(name) : t.resume_of(name)} disabled={act.isPending} onClick={resume}><PlayIcon /> {failed ? t.retry : t.resume}</button>
          )}
          <button type="button" className="button" aria-label={failed ? t.discard_of(name) : t.cancel_of(name)} disabled={act.isPending} onClick={cancel}><CloseIcon /> {failed ? t.discard : t.cancel}</button>
        </div>
      </div>
      {act.error && <ErrorNote error={recordOf(act.error)} />}
    </div>
  );
}

/** The row itself says what became of it. */
const unsaid = () => ({});

function Meter({ operation }: { operation: Operation }) {
  const { t } = useArea(texts);
  const { bytes_total, progress, operation_type, model_name } = operation;
  const known = operation_type === "build" || bytes_total !== null;
  return <progress className="meter" max={100} value={known ? progress : undefined} aria-label={t.progress_of(model_name)} />;
}

function Figures({ operation }: { operation: Operation }) {
  const { t, format } = useArea(texts);
  const { status, bytes_done, bytes_total, bytes_per_second, eta_seconds, message, operation_type } = operation;
  if (status === "failed") return t.failed;
  if (status === "pending") return t.waiting;
  const amount = bytes_total === null ? null : t.of(format.bytes(bytes_done), format.bytes(bytes_total));
  if (status === "paused") return [t.paused, amount].filter(Boolean).join(" ");
  const parts = [
    amount ?? (operation_type === "build" ? message : `${t.starting}…`),
    bytes_per_second !== null && t.rate(format.bytes(bytes_per_second)),
    eta_seconds !== null && t.left(timeLeft(eta_seconds, t)),
  ];
  return parts.filter(Boolean).join(" · ");
}
