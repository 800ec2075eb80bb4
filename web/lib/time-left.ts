/** Of `areas/operations`, what says a time. */
interface Words {
  seconds: (count: string) => string;
  minutes: (count: string) => string;
  hours: (hours: string, minutes: string) => string;
}

/** Seconds as people say them: the nearer the end, the finer. */
export function timeLeft(seconds: number, t: Words): string {
  if (seconds < 60) return t.seconds(String(Math.max(1, Math.round(seconds))));
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? t.minutes(String(minutes)) : t.hours(String(Math.floor(minutes / 60)), String(minutes % 60));
}
