import { sentenceAndCommand, textAndCode } from "@/lib/plain";
import { useText } from "@/lib/i18n";
import { CopyButton } from "./copy-button";

/** A sentence of the dictionaries or of the server, with `code` set apart. */
export function Sentence({ text }: { text: string }) {
  return textAndCode(text).map((part, at) =>
    part.code ? <code key={at} className="code-chip">{part.text}</code> : part.text,
  );
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

/** What to do about a refusal: a sentence, a line to paste, or both. The server speaks English. */
export function Fix({ fix }: { fix: string }) {
  const { sentence, command } = sentenceAndCommand(fix);
  return (
    <span className="block space-y-1.5">
      {sentence && <span lang="en" className="block [overflow-wrap:anywhere]"><Sentence text={sentence} /></span>}
      {command && <CommandLine command={command} />}
    </span>
  );
}
