type Text = string | ((...args: never[]) => string);
export type Texts = Record<string, Text>;

/** A function's text with marked arguments, so that what it does with them can be compared. */
function rendered(value: Text | undefined): string {
  if (value === undefined || typeof value === "string") return value ?? "";
  const call = value as (...args: unknown[]) => string;
  return call(...Array.from({ length: value.length }, (_, at) => `‹${at}›`));
}

const marks = (text: string) => [...text.matchAll(/‹\d›/g)].map(String).sort().join();
const codes = (text: string) => [...text.matchAll(/`[^`]+`/g)].map(String).join().replaceAll("NAZWA", "NAME");

/**
 * What is wrong with a translation: keys that one language has alone, texts that are empty or left in
 * English, arguments and commands that differ. `alike` are words that both languages write alike.
 */
export function differences(english: Texts, other: Texts, alike: readonly string[] = []): string[] {
  const found: string[] = [];
  for (const key of new Set([...Object.keys(english), ...Object.keys(other)])) {
    const [one, two] = [rendered(english[key]), rendered(other[key])];
    if (one.trim() === "" || two.trim() === "") found.push(`${key} is missing or empty`);
    else if (one === two && !alike.includes(key)) found.push(`${key} is not translated`);
    if (marks(one) !== marks(two)) found.push(`${key} has other arguments`);
    if (codes(one) !== codes(two)) found.push(`${key} has other commands`);
  }
  return found;
}
