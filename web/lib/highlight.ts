import { createLowlight } from "lowlight";
import { grammarOf } from "./code-languages";

/** Beyond it, colours would cost more time than they are worth. */
const MAX_CHARACTERS = 100_000;

const lowlight = createLowlight();

export type Highlighted = ReturnType<typeof lowlight.highlight>;

/** Code with its parts told apart; null where its language is not known, or it is too long. */
export async function highlighted(language: string, code: string): Promise<Highlighted | null> {
  if (code.length > MAX_CHARACTERS) return null;
  const found = await grammarOf(language);
  if (!found) return null;
  const [key, grammar] = found;
  if (!lowlight.registered(key)) lowlight.register(key, grammar);
  return lowlight.highlight(key, code);
}
