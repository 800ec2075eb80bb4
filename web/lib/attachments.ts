/** What a question brings beside its words. `data` is a `data:` URL. */
export interface ImageAttachment {
  kind: "image";
  name: string;
  data: string;
}

export interface FileAttachment {
  kind: "file";
  name: string;
  text: string;
}

export type Attachment = ImageAttachment | FileAttachment;

/** A part of a message on the wire. */
export type ContentPart = { type: "text"; text: string } | { type: "image_url"; image_url: { url: string } };

/** The longest run of backticks in a text; a fence around it is longer than that. */
const longestRun = (text: string): number => Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));

/** A question with its text files, each fenced under its name: so it is sent, kept and shown. */
export function withFiles(text: string, attachments: readonly Attachment[]): string {
  const files = attachments.filter((one) => one.kind === "file").map(({ name, text: held }) => {
    const fence = "`".repeat(longestRun(held) + 1);
    const kind = /\.(\w{1,12})$/.exec(name)?.[1]?.toLowerCase() ?? "";
    return `${name}\n${fence}${kind}\n${held.replace(/\n$/, "")}\n${fence}`;
  });
  return [text, ...files].filter((part) => part !== "").join("\n\n");
}

const FILE = /(?:^|\n\n)([^\n]{1,255})\n(`{3,})\w{0,12}\n([\s\S]*?)\n\2$/;

/** A question and the text files that stand at its end, as `withFiles` put them there. */
export function splitFiles(content: string): { words: string; files: FileAttachment[] } {
  const files: FileAttachment[] = [];
  let words = content;
  for (let found = lastFile(words); found; found = lastFile(words)) {
    files.unshift(found.file);
    words = words.slice(0, found.at);
  }
  return { words, files };
}

/** The file that a text ends with; its fence is the last line, and opens under its name. */
function lastFile(text: string): { file: FileAttachment; at: number } | null {
  const fence = /\n(`{3,})$/.exec(text)?.[1];
  if (!fence) return null;
  // A fence of that very length does not occur inside: the last one before the end opened it.
  const opening = text.lastIndexOf(`\n${fence}`, text.length - fence.length - 2);
  const before = text.lastIndexOf("\n\n", opening - 1);
  const at = opening < 0 ? -1 : before;
  const found = opening < 0 ? null : FILE.exec(text.slice(Math.max(at, 0)));
  if (!found?.[1] || found[1].startsWith("```")) return null;
  return { file: { kind: "file", name: found[1], text: found[3] ?? "" }, at: Math.max(at, 0) };
}

export const imagesOf = (attachments: readonly Attachment[]): ImageAttachment[] => attachments.filter((one) => one.kind === "image");

/** The content of a question on the wire: plain words where it has no image. */
export function wireContent(text: string, images: readonly ImageAttachment[] = []): string | ContentPart[] {
  if (images.length === 0) return text;
  const pictures = images.map((one): ContentPart => ({ type: "image_url", image_url: { url: one.data } }));
  return text === "" ? pictures : [{ type: "text", text }, ...pictures];
}

/** The images among what is kept beside a question; whoever wrote it, only what is one is taken. */
export function imagesIn(details: Record<string, unknown> | null): { images?: ImageAttachment[] } {
  const found = details?.images;
  if (!Array.isArray(found)) return {};
  const images = found.flatMap((one: unknown): ImageAttachment[] => {
    const { name, data } = (one ?? {}) as Record<string, unknown>;
    if (typeof data !== "string" || !data.startsWith("data:image/")) return [];
    return [{ kind: "image", name: typeof name === "string" && name !== "" ? name : "image", data }];
  });
  return images.length > 0 ? { images } : {};
}
