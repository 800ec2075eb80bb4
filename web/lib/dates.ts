/** Moments and days as people write them, in the language of the page and the time zone of the browser. */
export function makeDates(lang: string) {
  const moment = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "short" });
  const day = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeZone: "UTC" });
  const shortDay = new Intl.DateTimeFormat(lang, { day: "numeric", month: "short", timeZone: "UTC" });
  const shown = (format: Intl.DateTimeFormat, iso: string) => {
    const at = new Date(iso);
    return Number.isNaN(at.getTime()) ? iso : format.format(at);
  };
  return {
    /** An ISO 8601 time. What is none is shown as it is. */
    moment: (iso: string) => shown(moment, iso),
    /** A day of UTC, `YYYY-MM-DD`. */
    day: (iso: string) => shown(day, iso),
    shortDay: (iso: string) => shown(shortDay, iso),
  };
}

export type Dates = ReturnType<typeof makeDates>;

/** The day of UTC so many days before another moment, as `YYYY-MM-DD`. */
export function dayBefore(days: number, now: Date = new Date()): string {
  return new Date(now.getTime() - days * 86_400_000).toISOString().slice(0, 10);
}
