import { lazyPart } from "@/lib/lazy";

/** The keys of the page and what they open: after the first paint. */
export const keysPart = lazyPart(() => import("./keys"));
