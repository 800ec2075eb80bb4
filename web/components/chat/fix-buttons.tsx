"use client";

import { useMutation } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { api } from "@/lib/api/client";
import { catalogue, chosenModel, findModel, modelInUse } from "@/lib/catalogue";
import { chat, newChat } from "@/lib/chat";
import { recordOf, type ErrorRecord } from "@/lib/errors";
import { fixesFor, refusedOption, type Fix } from "@/lib/fixes";
import { useText } from "@/lib/i18n";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/fixes";
import { allowAsking } from "@/lib/key";
import { changeOptions, chatOptions } from "@/lib/options";
import { routeAt } from "@/lib/routes";
import { useStore } from "@/lib/store";
import { typed } from "@/lib/typed";
import { MODEL_PICKER } from "../models/model-trigger";
import { ErrorNote } from "../ui/error-note";
import { openSettings } from "./settings-button";

const PAGES: Partial<Record<Fix, string>> = { get_model: "/models", see_plugins: "/plugins", see_runtime: "/runtime" };

/** Leave a refused option out of what is asked from now on. */
function leaveOut(name: string): void {
  const { [name]: _, ...parameters } = chatOptions.get().parameters;
  const { written } = chatOptions.get();
  if (name === "response_format") changeOptions({ response_format: undefined, written: { ...written, schema: undefined } });
  else if (name === "tools" || name === "tool_choice") changeOptions({ tools: undefined, written: { ...written, tools: undefined } });
  else changeOptions({ parameters });
}

/** Whether there is anything of that name to leave out. */
function isSet(name: string | null): boolean {
  const { parameters, response_format, tools } = chatOptions.get();
  if (name === "response_format") return response_format !== undefined;
  return name !== null && (name in parameters || (name === "tools" && Boolean(tools?.length)));
}

/** The question goes where nothing stands before it; it is looked at before it is sent again. */
function takeToNewChat(): void {
  const question = chat.get().messages.findLast((message) => message.role === "user")?.content ?? "";
  newChat();
  typed.set(question);
  document.getElementById("message")?.focus();
}

/** What the page itself can do about a refused question, one button each. */
export function FixButtons({ error, onRetry }: { error: ErrorRecord; onRetry: () => void }) {
  const { t: shared } = useText();
  const { t } = useArea(texts);
  const router = useRouter();
  const stock = useStore(catalogue);
  const reference = findModel(stock.models, modelInUse(stock, useStore(chosenModel)))?.reference;
  const act = useMutation({
    mutationFn: async (fix: "load" | "free_memory") => {
      allowAsking();
      if (fix === "free_memory") await api.POST("/api/v1/models/unload-all");
      else if (reference) await api.POST("/api/v1/models/{name}/load", { params: { path: { name: reference } } });
    },
    onSuccess: onRetry,
  });
  const option = refusedOption(error);
  const may = (fix: Fix): boolean => {
    const page = PAGES[fix];
    if (page !== undefined) return routeAt(page) !== undefined;
    if (fix === "leave_out") return isSet(option);
    if (fix === "load") return reference !== undefined;
    return fix !== "choose_model" || (stock.models?.length ?? 0) > 1;
  };
  const run = (fix: Fix) => {
    const page = PAGES[fix];
    if (page !== undefined) router.push(page);
    else if (fix === "load" || fix === "free_memory") act.mutate(fix);
    else if (fix === "choose_model") document.getElementById(MODEL_PICKER)?.click();
    else if (fix === "new_chat") takeToNewChat();
    else if (fix === "open_settings") openSettings(true);
    else {
      if (fix === "leave_out" && option) leaveOut(option);
      allowAsking();
      onRetry();
    }
  };
  const name = (fix: Fix): string => {
    if (fix === "retry") return shared.retry;
    if (fix !== "leave_out") return t[fix];
    return option === "response_format" ? t.leave_out_form : option === "tools" ? t.leave_out_tools : t.leave_out;
  };
  return (
    <>
      {fixesFor(error).filter(may).map((fix) => (
        <button key={fix} type="button" className="button" disabled={act.isPending} onClick={() => run(fix)}>{name(fix)}</button>
      ))}
      {act.isPending && <p role="status" className="self-center text-soft">{t.working}…</p>}
      {act.error && <ErrorNote error={recordOf(act.error)} />}
    </>
  );
}
