"use client";

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "@/lib/api/client";
import { refresh } from "@/lib/catalogue";
import { ApiError } from "@/lib/errors";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/keys";
import { signInWith } from "@/lib/key";
import type { NewKeyBody } from "@/lib/key-form";
import { queries } from "@/lib/queries";
import { CopyButton } from "../ui/copy-button";
import { ErrorNote } from "../ui/error-note";
import { Modal } from "../ui/modal";
import { KeyForm } from "./key-form";

interface Props {
  /** No key is there yet, and none was needed: whoever makes it is signed in with it. */
  first: boolean;
  onClose: () => void;
}

/** Makes a key, and shows it this once. */
export function NewKey({ first: firstNow, onClose }: Props) {
  const { t, lang } = useArea(texts);
  const [refused, setRefused] = useState<ApiError | null>(null);
  const [sure, setSure] = useState(false);
  // Once it is made it no longer is the first, and is still shown as it.
  const [first] = useState(firstNow);
  const make = useMutation({
    mutationFn: async (body: NewKeyBody) => (await api.POST("/api/v1/keys", { body })).data!,
    // The key is on the screen and nowhere else: no cache keeps it.
    gcTime: 0,
    onSuccess: async (made) => {
      if (first) setRefused(await signInWith({ key: made.key }, lang));
    },
  });
  const made = make.data;
  const leave = () => {
    if (made && !sure) return setSure(true);
    if (made) void Promise.all([queries.invalidateQueries(), refresh()]);
    onClose();
  };
  if (!made) {
    return (
      <Modal title={t.new_key} onClose={leave}>
        <KeyForm first={first} error={make.error} busy={make.isPending} onMake={(body) => make.mutate(body)} onCancel={leave} />
      </Modal>
    );
  }
  return (
    <Modal title={t.new_key} onClose={leave}>
      <div className="space-y-4 text-sm">
        <p role="status" className="leading-relaxed">{t.here_it_is(made.name)}</p>
        <div className="flex items-center justify-between gap-2 rounded-lg bg-sunken py-2 pr-2 pl-3">
          <code aria-label={t.the_key} className="min-w-0 font-mono text-[0.8125rem] [overflow-wrap:anywhere] select-all">{made.key}</code>
          <CopyButton text={made.key} label={t.copy_key} wordy />
        </div>
        {first && make.isSuccess && !refused && <p className="text-soft">{t.signed_in_now}</p>}
        {refused && <div className="space-y-2"><p>{t.not_signed_in}</p><ErrorNote error={refused.record()} /></div>}
        {sure && <p role="alert" className="font-medium text-danger">{t.not_kept}</p>}
        <div className="flex justify-end">
          <button
            type="button" className="button-accent"
            onClick={() => {
              void Promise.all([queries.invalidateQueries(), refresh()]);
              onClose();
            }}
          >
            {t.kept}
          </button>
        </div>
      </div>
    </Modal>
  );
}
