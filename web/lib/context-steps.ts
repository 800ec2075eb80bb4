const LEAST = 512;

/** Contexts to choose from: doubling from 512 up to `most`, and the one in use. */
export function contextSteps(most: number, current: number): number[] {
  const steps = new Set([Math.min(current, most), most]);
  for (let step = LEAST; step < most; step *= 2) steps.add(step);
  return [...steps].sort((a, b) => a - b);
}

export function nearestStep(steps: readonly number[], context: number): number {
  const found = steps.findIndex((step) => step >= context);
  return found < 0 ? steps.length - 1 : found;
}
