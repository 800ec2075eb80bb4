/** A figure and its unit stay on one line. */
const NBSP = "\u00a0";

/** Numbers as people read them; sizes are decimal (1 GB = 10^9 bytes), as disks and downloads are. */
export function makeFormat(lang: string) {
  const whole = new Intl.NumberFormat(lang, { maximumFractionDigits: 0 });
  const tenth = new Intl.NumberFormat(lang, { maximumFractionDigits: 1 });
  const round = (value: number) => (value < 10 ? tenth : whole).format(value);
  return {
    count: (value: number) => whole.format(value),
    rate: round,
    bytes(value: number): string {
      if (value < 1e6) return `${whole.format(Math.ceil(value / 1e3))}${NBSP}KB`;
      if (value < 1e9) return `${whole.format(value / 1e6)}${NBSP}MB`;
      return `${(value < 1e11 ? tenth : whole).format(value / 1e9)}${NBSP}GB`;
    },
    duration: (ms: number) => (ms < 1000 ? `${round(ms)}${NBSP}ms` : `${tenth.format(ms / 1000)}${NBSP}s`),
  };
}

export type Format = ReturnType<typeof makeFormat>;
