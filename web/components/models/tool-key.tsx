"use client";

import { useMutation } from "@tanstack/react-query";
import Link from "next/link";
import { useState, type FormEvent } from "react";
import { recordOf } from "@/lib/errors";
import { useText } from "@/lib/i18n";
import { useArea } from "@/lib/i18n/area";
import texts from "@/lib/i18n/areas/connect";
import { makeKey, type KeyScope } from "@/lib/tool-keys";
import { Choice } from "../ui/choice";
import { CopyButton } from "../ui/copy-button";
import { ErrorNote } from "../ui/error-note";
import { KeyIcon } from "../ui/icons";

interface Props {
  required: boolean;
  /** The key made here, while this is open. */
  made: string | null;
  onMade: (key: string) => void;
}

/** A key for the tool, made on the spot and shown once. The first key of all closes the server: that is the page of keys' to explain. */
export function ToolKey({ required, made, onMade }: Props) {
  const { t } = useArea(texts);
  return (
    <section aria-label={t.key} className="space-y-3">
      <h3 className="text-sm font-medium">{t.key}</h3>
      {made === null && <p className="text-[0.8125rem] leading-relaxed text-soft">{required ? t.key_needed : t.key_none}</p>}
      {made === null && required && <KeyForm onMade={onMade} />}
      {made === null && !required && <p><Link href="/keys" prefetch={false} className="button-quiet -ml-2">{t.key_close}</Link></p>}
      {made !== null && <Secret name={t.key_tool} value={made} />}
      {made !== null && <p role="status" className="text-[0.8125rem] leading-relaxed text-soft">{t.key_once}</p>}
    </section>
  );
}

function KeyForm({ onMade }: { onMade: (key: string) => void }) {
  const { t } = useArea(texts);
  const [name, setName] = useState("");
  const [scope, setScope] = useState<KeyScope>("chat");
  const making = useMutation({ mutationFn: () => makeKey(name.trim(), scope), onSuccess: onMade, gcTime: 0 });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    making.mutate();
  };
  return (
    <form className="space-y-3" onSubmit={submit}>
      <div className="grid items-end gap-3 sm:grid-cols-[1fr_1fr_auto]">
        <label className="block space-y-1 text-xs text-soft">
          <span className="block">{t.key_name}</span>
          <input className="field" value={name} maxLength={100} placeholder="Continue" onChange={(event) => setName(event.target.value)} />
        </label>
        <Choice label={t.key_scope} value={scope} options={[["chat", t.scope_chat], ["models", t.scope_models], ["all", t.scope_all]]} onChoose={(value) => setScope(value as KeyScope)} />
        <button type="submit" className="button-accent" disabled={making.isPending || name.trim() === ""}><KeyIcon /> {t.key_make}</button>
      </div>
      {making.error && <ErrorNote error={recordOf(making.error)} />}
    </form>
  );
}

function Secret({ name, value }: { name: string; value: string }) {
  const { t } = useText();
  return (
    <div className="space-y-1">
      <p className="text-xs text-soft">{name}</p>
      <p className="flex min-w-0 items-center justify-between gap-2 rounded-lg bg-accent-wash py-0.5 pr-1 pl-3">
        <code className="min-w-0 font-mono text-[0.8125rem] [overflow-wrap:anywhere]">{value}</code>
        <CopyButton text={value} label={t.copy_of(name)} />
      </p>
    </div>
  );
}
