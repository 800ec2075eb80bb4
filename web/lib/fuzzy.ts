/** Letters without their marks, so that `zolw` finds `żółw`. */
export const plainLetters = (text: string): string =>
  text.toLowerCase().replaceAll("ł", "l").normalize("NFD").replace(/\p{M}+/gu, "");

const isStart = (text: string, at: number): boolean => at === 0 || /[\s/:._\-()“„]/.test(text[at - 1] ?? "");

/** How well one word is found in a text, more is better; null where its letters do not occur in order. */
function wordScore(word: string, text: string): number | null {
  const whole = text.indexOf(word);
  if (whole >= 0) return 100 + (isStart(text, whole) ? 50 : 0) - Math.min(whole, 40);
  let at = -1;
  let score = 0;
  for (const letter of word) {
    const next = text.indexOf(letter, at + 1);
    if (next < 0) return null;
    score += next === at + 1 ? 8 : isStart(text, next) ? 6 : 1 - Math.min(next - at, 10) / 5;
    at = next;
  }
  // Letters strewn over a long text are no find.
  return score >= word.length ? score : null;
}

/** How well a text answers what was typed: every word must be found. Nothing typed finds all. */
export function fuzzyScore(typed: string, text: string): number | null {
  const plain = plainLetters(text);
  let sum = 0;
  for (const word of plainLetters(typed).split(/\s+/).filter(Boolean)) {
    const score = wordScore(word, plain);
    if (score === null) return null;
    sum += score;
  }
  return sum;
}

/** What is found, the best first; things that are found equally well stay in their order. */
export function ranked<T>(typed: string, things: readonly T[], textOf: (thing: T) => string): T[] {
  if (typed.trim() === "") return [...things];
  return things
    .flatMap((thing) => {
      const score = fuzzyScore(typed, textOf(thing));
      return score === null ? [] : [{ thing, score }];
    })
    .sort((a, b) => b.score - a.score)
    .map(({ thing }) => thing);
}
