"use client";

import { useQuery } from "@tanstack/react-query";
import { useDeferredValue } from "react";
import { asking } from "@/lib/api/client";
import type { ModelRecord } from "@/lib/api/types";
import { findModel, type Catalogue } from "@/lib/catalogue";
import { chat, newChat } from "@/lib/chat";
import { contextUse } from "@/lib/context-use";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/composer";
import { attachments, chatOptions } from "@/lib/options";
import { useStore } from "@/lib/store";
import { typed } from "@/lib/typed";
import { SecondModel } from "./second-model";

/** How many tokens the model takes as it runs or would run; its own claim where that is not known. */
function useRoom(model: ModelRecord | undefined): number | null {
  const reference = model?.reference ?? "";
  const loaded = useQuery({ ...asking("/api/v1/models/loaded"), enabled: model?.loaded === true });
  const fit = useQuery({ ...asking("/api/v1/models/{name}/fit", { path: { name: reference } }), enabled: model !== undefined });
  const inMemory = loaded.data?.models.find((one) => one.reference === reference)?.context_length;
  return inMemory ?? fit.data?.context_length ?? model?.context_length ?? null;
}

/** How much of the model's context is used, a warning before it overflows, and where the answer is made. */
export function ContextBar({ stock, model, onMoved }: { stock: Catalogue; model: string | null; onMoved: () => void }) {
  const { t, format } = useArea(texts);
  const { messages, phase } = useStore(chat);
  const written = useDeferredValue(useStore(typed));
  const files = useStore(attachments);
  const { system } = useStore(chatOptions);
  const record = findModel(stock.models, model);
  const room = useRoom(record);
  const { used, next, estimated, level } = contextUse(messages, written, files, system, room);
  if (!record) return null;
  const total = format.count(used + next);
  const told = room === null ? t.context_unknown(total) : estimated ? t.context_of(total, format.count(room)) : t.context_exact(total, format.count(room));
  const asked = messages.length > 0;
  return (
    <div className="space-y-1.5 pt-2 text-xs text-soft">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 px-1">
        <p data-testid="context" title={t.context_title} className="flex items-center gap-2 tabular-nums">
          {used + next > 0 && (
            <>
              {room !== null && (
                <meter
                  className="context-meter w-20" aria-label={t.context} min={0} max={room} value={Math.min(used + next, room)}
                  aria-valuetext={told} data-level={level}
                />
              )}
              <span className={level === "well" ? "" : "font-medium text-warn"}>{told}</span>
            </>
          )}
        </p>
        <div className="flex min-w-0 flex-wrap items-center gap-x-3">
          <SecondModel stock={stock} first={record} onMoved={onMoved} />
          <p data-testid="place">{record.runs_at ? t.place_remote(record.runs_at) : t.place_local}</p>
        </div>
      </div>
      <p role="status" className="sr-only">{level === "well" ? "" : level === "near" ? t.context_near : t.context_over}</p>
      {level !== "well" && phase === "idle" && (
        <div data-testid="context-warning" className="flex flex-wrap items-center gap-x-3 gap-y-1.5 rounded-lg bg-sunken px-3 py-2 text-[0.8125rem] text-ink">
          <p className="min-w-0 flex-1">{level === "near" ? t.context_near : t.context_over} {t.context_fix}</p>
          {asked && (
            <button
              type="button" className="button"
              onClick={() => {
                const [question, held] = [typed.get(), attachments.get()];
                typed.set("");
                newChat();
                typed.set(question);
                attachments.set(held);
                onMoved();
              }}
            >
              {t.to_new_chat}
            </button>
          )}
        </div>
      )}
    </div>
  );
}
