const TONES = {
  good: "bg-accent",
  busy: "bg-warn",
  bad: "bg-danger",
  off: "bg-edge",
} as const;

export type Tone = keyof typeof TONES;

export function StatusDot({ tone }: { tone: Tone }) {
  return <span aria-hidden="true" className={`size-2 shrink-0 rounded-full ${TONES[tone]}`} />;
}
