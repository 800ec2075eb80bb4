import type { Attachment } from "./attachments";

/** Why a file is not taken, by which the page finds the sentence. */
export type Refused = "too_many" | "too_large" | "image_unreadable" | "image_too_large" | "not_text" | "empty" | "no_vision";

export interface Taken {
  attachment: Attachment | null;
  name: string;
  refused: Refused | null;
}

export const MOST_ATTACHMENTS = 8;
/** Of a text file: more fills every context that a machine at home has. */
export const MOST_FILE_BYTES = 512_000;
/** Of the picture as it was given; it is made smaller before it is sent. */
const MOST_IMAGE_BYTES = 40_000_000;
/** No model at home sees more of a picture than this; each has a smaller measure of its own. */
const LONGEST_SIDE = 1280;
/** As text of a `data:` URL: eight of them stay below what the server keeps beside a question. */
export const MOST_IMAGE_TEXT = 450_000;

/** Formats that every engine reads; another one that the browser can show is made into one of them. */
const SENT_AS_IS = ["image/png", "image/jpeg"];
const QUALITIES = [0.9, 0.75, 0.55];

export const isImage = (file: File): boolean => file.type.startsWith("image/") && file.type !== "image/svg+xml";

const refusal = (file: File, refused: Refused): Taken => ({ attachment: null, name: file.name, refused });

function asDataUrl(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error ?? new Error("unreadable"));
    reader.readAsDataURL(blob);
  });
}

/** The picture in a size that a model looks at, in a format that every engine reads. */
async function smaller(file: File): Promise<string | null> {
  const bitmap = await createImageBitmap(file);
  try {
    for (let longest = LONGEST_SIDE; longest >= LONGEST_SIDE / 4; longest /= 2) {
      const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
      const canvas = document.createElement("canvas");
      canvas.width = Math.max(1, Math.round(bitmap.width * scale));
      canvas.height = Math.max(1, Math.round(bitmap.height * scale));
      const context = canvas.getContext("2d");
      if (!context) return null;
      // A JPEG has no glass: what shows through is white, as on paper.
      context.fillStyle = "#fff";
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
      for (const quality of QUALITIES) {
        const url = canvas.toDataURL("image/jpeg", quality);
        if (url.length <= MOST_IMAGE_TEXT) return url;
      }
    }
    return null;
  } finally {
    bitmap.close();
  }
}

async function takeImage(file: File): Promise<Taken> {
  if (file.size > MOST_IMAGE_BYTES) return refusal(file, "image_too_large");
  try {
    const bitmap = await createImageBitmap(file);
    const fits = Math.max(bitmap.width, bitmap.height) <= LONGEST_SIDE;
    bitmap.close();
    const whole = fits && SENT_AS_IS.includes(file.type) ? await asDataUrl(file) : null;
    const data = whole !== null && whole.length <= MOST_IMAGE_TEXT ? whole : await smaller(file);
    return data === null ? refusal(file, "image_too_large") : { attachment: { kind: "image", name: file.name, data }, name: file.name, refused: null };
  } catch {
    return refusal(file, "image_unreadable");
  }
}

async function takeText(file: File): Promise<Taken> {
  if (file.size > MOST_FILE_BYTES) return refusal(file, "too_large");
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    return refusal(file, "not_text");
  }
  if (text.includes("\0")) return refusal(file, "not_text");
  if (text.trim() === "") return refusal(file, "empty");
  return { attachment: { kind: "file", name: file.name, text: text.replace(/\r\n?/g, "\n") }, name: file.name, refused: null };
}

/** Read files that were given to a question which has some already; in the order in which they were given. */
export async function takeFiles(files: readonly File[], have: number, seesImages: boolean | null): Promise<Taken[]> {
  let room = MOST_ATTACHMENTS - have;
  const found: Taken[] = [];
  for (const file of files) {
    let taken: Taken;
    if (room <= 0) taken = refusal(file, "too_many");
    else if (!isImage(file)) taken = await takeText(file);
    else if (seesImages === false) taken = refusal(file, "no_vision");
    else taken = await takeImage(file);
    if (taken.attachment) room -= 1;
    found.push(taken);
  }
  return found;
}
