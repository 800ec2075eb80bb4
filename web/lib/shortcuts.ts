/** What a key does from anywhere on the page. */
export type Shortcut = "find" | "help" | "new" | "settings" | "write";

interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
}

/** The shortcut of a key; `writing` while a field has the focus, where letters are letters. */
export function shortcutOf({ key, ctrlKey, metaKey, shiftKey, altKey }: Pressed, writing: boolean): Shortcut | null {
  const letter = key.toLowerCase();
  if (altKey) return null;
  if (ctrlKey || metaKey) {
    if (letter === "k" && !shiftKey) return "find";
    if (letter === "o" && shiftKey) return "new";
    return letter === "." && !shiftKey ? "settings" : null;
  }
  if (writing) return null;
  return key === "?" ? "help" : key === "/" ? "write" : null;
}

/** Whether an element takes letters. */
export function takesLetters(element: Element | null): boolean {
  return element?.closest("input:not([type=range], [type=checkbox], [type=radio]), textarea, select, [contenteditable=true]") !== null && element !== null;
}

/** How the key beside the letter is called here. */
export function modifierName(platform: string): string {
  return /mac|iphone|ipad/i.test(platform) ? "⌘" : "Ctrl";
}
