"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { api } from "@/lib/api/client";
import { canChat, catalogue, chooseModel } from "@/lib/catalogue";
import { recordOf } from "@/lib/errors";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/getting";
import { allowAsking } from "@/lib/key";
import { isOpen, operationOf, RECENT } from "@/lib/operations";
import { outdated } from "@/lib/queries";
import { useStore } from "@/lib/store";
import { ErrorNote } from "../ui/error-note";
import { ChatIcon, DownloadIcon } from "../ui/icons";
import { OperationRow } from "./operation-row";

interface Props {
  /** What is asked for; a reference, or a name that a source knows. */
  name: string;
  /** As people know it. */
  title: string;
  /** Other names of the same, by which it may be listed. */
  known?: readonly string[];
  onBegin?: () => void;
}

/** Gets a model and shows how far that is, whoever began it; a chat with it once it is there. */
export function GetButton({ name, title, known = [], onBegin }: Props) {
  const { t } = useArea(texts);
  const { models } = useStore(catalogue);
  const operation = operationOf(useQuery(RECENT).data?.operations ?? [], name, ...known);
  const begin = useMutation({
    mutationFn: () => api.POST("/api/v1/models/install", { body: { name } }),
    onMutate: () => {
      allowAsking();
      onBegin?.();
    },
    onSuccess: () => outdated("/api/v1/models/operations"),
  });
  const names = [name, ...known, operation?.status === "completed" ? operation.reference : null];
  const there = models?.find((model) => names.includes(model.reference) || names.includes(model.id) || names.includes(model.name));
  if (there) {
    return (
      <div className="flex flex-wrap items-center justify-end gap-3">
        <p role="status" className="text-sm font-medium text-accent">{t.ready}</p>
        {canChat(there) && (
          <Link href="/" prefetch={false} className="button" aria-label={t.chat_with(title)} onClick={() => chooseModel(there.id)}><ChatIcon /> {t.chat}</Link>
        )}
      </div>
    );
  }
  if (operation && (isOpen(operation) || operation.status === "failed")) return <OperationRow operation={operation} />;
  return (
    <div className="space-y-2">
      <div className="flex justify-end">
        <button type="button" className="button-accent" aria-label={t.get_of(title)} disabled={begin.isPending} onClick={() => begin.mutate()}><DownloadIcon /> {t.get}</button>
      </div>
      {begin.error && <ErrorNote error={recordOf(begin.error)} />}
    </div>
  );
}
