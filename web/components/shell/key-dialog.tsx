"use client";

import { useId, type FormEvent } from "react";
import { useText } from "@/lib/i18n";
import { answerKey, keyPrompt } from "@/lib/key";
import { useStore } from "@/lib/store";
import { Modal } from "../ui/modal";
import { Fix, Sentence } from "../ui/sentence";

/** Opens when the API answers 401; the refused requests wait for the answer and go on. */
export function KeyDialog() {
  const { t, lang } = useText();
  const prompt = useStore(keyPrompt);
  const id = useId();
  if (!prompt) return null;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget).get("key");
    if (typeof given === "string" && given.trim() !== "") void answerKey(given.trim(), lang);
  };
  return (
    <Modal title={t.key_title} onClose={() => void answerKey(null)}>
      <form className="space-y-4 text-sm" onSubmit={submit}>
        <p className="leading-relaxed text-soft"><Sentence text={t.key_text} /></p>
        {prompt.again && (
          <p role="alert" className="font-medium text-danger">
            {prompt.refusal.code === "invalid_api_key" ? t.key_wrong : prompt.refusal.message}
          </p>
        )}
        {/* Our own sentence says the usual fix in the page's language; another one is shown as it is. */}
        {prompt.refusal.fix && !prompt.refusal.fix.includes("venom keys create") && <div><Fix fix={prompt.refusal.fix} /></div>}
        <div className="space-y-1.5">
          <label htmlFor={id} className="block font-medium">{t.key_label}</label>
          <input id={id} name="key" type="password" required data-first autoComplete="off" spellCheck={false} className="field font-mono" />
        </div>
        <div className="flex justify-end gap-2">
          <button type="button" className="button" onClick={() => void answerKey(null)}>{t.cancel}</button>
          <button type="submit" className="button-accent">{t.key_save}</button>
        </div>
      </form>
    </Modal>
  );
}
