/**
 * Markdown cut into top-level blocks, so that finished ones are rendered once while an answer grows.
 *
 * A cut is a blank line outside a fence of code or of a formula, unless what follows continues a list. The pieces
 * joined give the text back, character for character.
 */
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const FORMULA_FENCE = /^ {0,3}(\$\$|\\\[)\s*$/;
const LIST_ITEM = /^ {0,3}([-*+]|\d{1,9}[.)])(\s|$)/;

export function splitBlocks(text: string): string[] {
  const blocks: string[] = [];
  let start = 0;
  let fence: string | null = null;
  let inList = false;
  let blankBefore = false;
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\n", at);
    const next = end < 0 ? text.length : end + 1;
    const line = text.slice(at, next);
    const blank = line.trim() === "";
    if (fence === null && !blank) {
      const item = LIST_ITEM.test(line);
      const continuesList = inList && (item || /^\s{2,}|^\t/.test(line));
      if (blankBefore && !continuesList && at > start) {
        blocks.push(text.slice(start, at));
        start = at;
        inList = false;
      }
      inList ||= item;
    }
    const mark = FENCE.exec(line)?.[1];
    if (fence === "$$" || fence === "\\[") {
      if (line.trim().endsWith(fence === "$$" ? "$$" : "\\]")) fence = null;
    } else if (fence === null) fence = mark ?? FORMULA_FENCE.exec(line)?.[1] ?? null;
    else if (mark) {
      if (mark[0] === fence[0] && mark.length >= fence.length && line.trim() === mark) fence = null;
    }
    blankBefore = blank && fence === null;
    at = next;
  }
  if (start < text.length) blocks.push(text.slice(start));
  return blocks;
}

/** A block that is a code fence not closed yet: shown as it comes, without a parser. */
export function openFence(block: string): { language: string; code: string } | null {
  const found = /^ {0,3}(`{3,}|~{3,})([^\n`]*)(?:\n|$)/.exec(block);
  if (!found) return null;
  const [opening, mark = "", info = ""] = found;
  const code = block.slice(opening.length);
  for (const line of code.split("\n")) {
    const text = line.trim();
    if (text.length >= mark.length && text === (mark[0] ?? "").repeat(text.length)) return null;
  }
  return { language: info.trim().split(/\s/)[0] ?? "", code };
}
