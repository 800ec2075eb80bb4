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

export const imagesOf = (attachments: readonly Attachment[]): ImageAttachment[] => attachments.filter((one) => one.kind === "image");

/** The content of a question on the wire: plain words where it has no image. */
export function wireContent(text: string, images: readonly ImageAttachment[] = []): string | ContentPart[] {
  if (images.length === 0) return text;
  const pictures = images.map((one): ContentPart => ({ type: "image_url", image_url: { url: one.data } }));
  return text === "" ? pictures : [{ type: "text", text }, ...pictures];
}
