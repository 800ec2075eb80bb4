export interface Part {
  kind: "text" | "code" | "link";
  text: string;
}

/** A sentence in which `backticks` mark what is typed, cut into text, code and web addresses. */
export function sentenceParts(sentence: string): Part[] {
  return sentence
    .split(/(`[^`]+`|https?:\/\/[^\s`]*[^\s`),.;:!?])/)
    .filter((part) => part !== "")
    .map((part): Part => {
      if (/^`[^`]+`$/.test(part)) return { kind: "code", text: part.slice(1, -1) };
      return { kind: /^https?:\/\//.test(part) ? "link" : "text", text: part };
    });
}

const COMMAND =
  /^(venom (serve|run|pull|list|ps|stop|rm|show|plugins|doctor|keys|config|profile|engines)|ollama (serve|pull|run)|[A-Z][A-Z0-9_]+=\S+)(\s+[\w@:./=*'"[\]-]+)*$/;

/** Whether a whole fix is one line for a terminal, such as `venom plugins install onnx`. */
export function isCommand(fix: string): boolean {
  return fix.length < 160 && COMMAND.test(fix);
}

/** A fix that ends in a command after a colon, as in `Start it with: ollama serve`, cut before it. */
export function sentenceAndCommand(fix: string): { sentence: string; command: string | null } {
  if (isCommand(fix)) return { sentence: "", command: fix };
  const at = fix.lastIndexOf(": ");
  const command = fix.slice(at + 2);
  return at > 0 && isCommand(command) ? { sentence: fix.slice(0, at + 1), command } : { sentence: fix, command: null };
}

/** Markdown as a voice should read it, at most `limit` characters and cut between words. */
export function spoken(markdown: string, limit: number): { text: string; whole: boolean } {
  const text = markdown
    .replace(/```[^\n]*\n?/g, " ")
    .replace(/[*_`#>|]+/g, "")
    .replace(/\s+/g, " ")
    .trim();
  if (text.length <= limit) return { text, whole: true };
  const cut = text.lastIndexOf(" ", limit);
  return { text: text.slice(0, cut > 0 ? cut : limit), whole: false };
}
