import { sentenceAndCommand, sentenceParts } from "@/lib/plain";
import { useText } from "@/lib/i18n";
import { CopyButton } from "./copy-button";

/** A sentence of the dictionaries or of the server, with `code` set apart and addresses to click. */
export function Sentence({ text }: { text: string }) {
  return sentenceParts(text).map((part, at) => {
    if (part.kind === "code") return <code key={at} className="code-chip">{part.text}</code>;
    if (part.kind === "text") return part.text;
    return (
      <a key={at} href={part.text} target="_blank" rel="noreferrer noopener" className="underline underline-offset-2 hover:text-ink">
        {part.text}
      </a>
    );
  });
}

/** One line for a terminal, with a copy button. */
export function CommandLine({ command }: { command: string }) {
  const { t } = useText();
  return (
    <span className="flex min-w-0 items-center justify-between gap-2 rounded-lg bg-sunken py-1 pr-1 pl-3">
      <code className="min-w-0 font-mono text-[0.8125rem] [overflow-wrap:anywhere]">{command}</code>
      <CopyButton text={command} label={t.copy_of(command)} />
    </span>
  );
}

/** What to do about a refusal: a sentence, a line to paste, or both. `lang` where it is not the page's. */
export function Fix({ fix, lang }: { fix: string; lang?: string }) {
  const { sentence, command } = sentenceAndCommand(fix);
  return (
    <span className="block space-y-1.5">
      {sentence && <span lang={lang} className="block [overflow-wrap:anywhere]"><Sentence text={sentence} /></span>}
      {command && <CommandLine command={command} />}
    </span>
  );
}

/** The page of the served documentation that explains a code. */
export function DocsLink({ docs, code }: { docs?: string | null; code: string }) {
  const { t } = useText();
  if (!docs?.startsWith("/docs/")) return null;
  return (
    <a href={docs} target="_blank" rel="noopener" aria-label={t.docs_of(code)} className="underline underline-offset-2 hover:text-ink">
      {t.docs}
    </a>
  );
}
