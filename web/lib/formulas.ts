/**
 * Formulas as models write them, `$x$`, `\(x\)`, `\[x\]` and `$$x$$`, brought to the forms that
 * remark-math reads with single dollars switched off: `$$x$$` within a line, a fence of `$$` around
 * one that stands alone. A price is no formula, and code is left as it is.
 */
const FENCED = /(?:^|\n) *(`{3,}|~{3,})[^\n]*\n(?:[\s\S]*?\n) *\1[`~]* *(?=\n|$)/y;
const SPAN = /(`+)(?!`)[\s\S]*?[^`]\1(?!`)/y;
const DISPLAY = /\$\$([^$]+)\$\$|\\\[((?:(?!\\\[)[\s\S])+?)\\\]/y;
const INLINE = /\\\(((?:(?!\\\()[^\n])+?)\\\)/y;
const DOLLARS = /\$((?:\\.|[^\n$\\`])+)\$(?![\w$])/y;

const at = (pattern: RegExp, text: string, from: number): RegExpExecArray | null => {
  pattern.lastIndex = from;
  return pattern.exec(text);
};

/** What stands between two single dollars is a formula, not the words between two prices. */
export function isFormula(text: string): boolean {
  if (/^\s|\s$/.test(text)) return false;
  if (/[\\^_=<>{}+*|]/.test(text)) return true;
  if (/^[A-Za-z]{1,3}$|^-?\d[\d.,]*$/.test(text)) return true;
  // Letters that stand alone are variables, a word before a bracket is a function.
  return /^[\dA-Za-z\s.,;:!'()[\]/-]+$/.test(text) && text.replace(/[A-Za-z]+(?=\()/g, "").split(/[^A-Za-z]+/).every((run) => run.length <= 1);
}

/** A formula that has its line or lines to itself is shown in the middle of them, as others are in their line. */
function displayed(text: string, from: number, to: number, formula: string): string {
  const line = text.slice(text.lastIndexOf("\n", from - 1) + 1, from);
  const rest = text.slice(to, (text.indexOf("\n", to) + 1 || text.length + 1) - 1);
  if (line.trim() !== "" || rest.trim() !== "") return `$$\\displaystyle ${formula.trim().replace(/\s*\n\s*/g, " ")}$$`;
  const lines = formula.trim().split("\n").map((one) => line + one.trim());
  return ["$$", ...lines, `${line}$$`].join("\n");
}

/** The text with its formulas in the form above; null where there is none. */
export function withFormulas(text: string): string | null {
  if (!/[$]|\\[([]/.test(text)) return null;
  let made = "";
  let found = false;
  for (let place = 0; place < text.length; ) {
    const skipped = at(FENCED, text, place) ?? at(SPAN, text, place) ?? (text[place] === "\\" && !"([".includes(text[place + 1] ?? " ") ? at(/\\[\s\S]/y, text, place) : null);
    if (skipped) {
      made += skipped[0];
      place += skipped[0].length;
      continue;
    }
    const formula = formulaAt(text, place);
    if (formula) {
      found = true;
      made += formula.made;
      place = formula.end;
    } else {
      made += text[place];
      place += 1;
    }
  }
  return found ? made : null;
}

function formulaAt(text: string, place: number): { made: string; end: number } | null {
  const alone = at(DISPLAY, text, place);
  if (alone) {
    const end = place + alone[0].length;
    return { made: displayed(text, place, end, alone[1] ?? alone[2] ?? ""), end };
  }
  const inline = at(INLINE, text, place);
  if (inline?.[1]?.trim()) return { made: `$$${inline[1].trim()}$$`, end: place + inline[0].length };
  const dollars = /[\w$]/.test(text[place - 1] ?? "") ? null : at(DOLLARS, text, place);
  if (dollars?.[1] && isFormula(dollars[1])) return { made: `$$${dollars[1]}$$`, end: place + dollars[0].length };
  return null;
}
