export function scriptsOf(html: string): { sources: string[]; inline: string[] };
export function ownWeights(
  pages: Record<string, string[]>,
  weigh: (src: string) => number,
): { shared: number; routes: { path: string; own: number }[] };
