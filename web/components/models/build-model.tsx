"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, asking } from "@/lib/api/client";
import type { ModelRecord, Schemas } from "@/lib/api/types";
import { recordOf } from "@/lib/errors";
import { useText } from "@/lib/i18n";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/models";
import { Answer } from "../ui/answer";
import { Choice } from "../ui/choice";
import { ErrorNote } from "../ui/error-note";
import { Modal } from "../ui/modal";

interface Props {
  model: ModelRecord;
  onClose: () => void;
}

/** Asks in which format, how exact and for what a model is to be built anew, and begins that. */
export function BuildModel({ model, onClose }: Props) {
  const { t } = useArea(texts);
  const formats = useQuery(asking("/api/v1/models/builds"));
  return (
    <Modal title={t.build_title(model.id)} onClose={onClose}>
      <div className="space-y-4 text-sm">
        <p className="leading-relaxed text-soft">{t.build_text}</p>
        <Answer query={formats} isEmpty={(found) => found.count === 0} empty={t.build_nobody}>
          {(found) => <Choices model={model} formats={found.formats} onClose={onClose} />}
        </Answer>
      </div>
    </Modal>
  );
}

function Choices({ model, formats, onClose }: Props & { formats: Schemas["BuildFormatView"][] }) {
  const { t } = useArea(texts);
  const { t: shared } = useText();
  const [format, setFormat] = useState(formats[0]?.format ?? "");
  const [precision, setPrecision] = useState<string>();
  const [target, setTarget] = useState<string>();
  const begin = useMutation({
    mutationFn: (body: Schemas["BuildModelRequest"]) => api.POST("/api/v1/models/{format}/build", { params: { path: { format } }, body }),
    onSuccess: onClose,
  });
  const chosen = formats.find((one) => one.format === format);
  if (!chosen) return null;
  const choose = (name: string) => {
    setFormat(name);
    setPrecision(undefined);
    setTarget(undefined);
  };
  const wanted = { precision: precision ?? chosen.precision, execution_provider: target ?? chosen.execution_providers[0] ?? null };
  const options = (values: string[]) => values.map((value) => [value, value] as const);
  return (
    <>
      <Choice label={t.build_format} value={format} options={options(formats.map((one) => one.format))} onChoose={choose} />
      <Choice label={t.build_precision} value={wanted.precision} options={options(chosen.precisions)} onChoose={setPrecision} />
      <Choice label={t.build_for} value={wanted.execution_provider ?? ""} options={options(chosen.execution_providers)} onChoose={setTarget} />
      {begin.error && <ErrorNote error={recordOf(begin.error)} />}
      <div className="flex flex-wrap justify-end gap-2 pt-2">
        <button type="button" className="button" onClick={onClose}>{shared.cancel}</button>
        <button type="button" className="button-accent" disabled={begin.isPending} onClick={() => begin.mutate({ model_name: model.reference, ...wanted })}>
          {begin.isPending ? `${t.working}…` : t.build_begin}
        </button>
      </div>
    </>
  );
}
