// Times as people say them. Nothing here reads a clock, and nothing counts down.

import type { Language, Wall } from "./contract";

export type Said =
  | { day: "today" | "yesterday" | "tomorrow"; time: string }
  | { day: "other"; time: string; date: string };

const DAY = 86_400_000;

/** What is to be said of a moment at `now`: a time of day where the day is plain, else a date too. */
export function moment(at: Wall, now: Wall, language: Language): Said {
  const locale = language === "ko" ? "ko-KR" : "en-GB";
  const time = new Intl.DateTimeFormat(locale, {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(at);
  const days = dayNumber(at) - dayNumber(now);
  if (days === 0) return { day: "today", time };
  if (days === -1) return { day: "yesterday", time };
  if (days === 1) return { day: "tomorrow", time };
  const near = Math.abs(days) < 7;
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  const date = new Intl.DateTimeFormat(
    locale,
    near
      ? { weekday: language === "ko" ? "long" : "short" }
      : { day: "numeric", month: "short", ...(sameYear ? {} : { year: "numeric" }) },
  ).format(at);
  return { day: "other", time, date };
}

/** The local calendar day, counted: daylight saving makes days of 23 and 25 hours. */
function dayNumber(at: Wall): number {
  const date = new Date(at);
  return Math.round(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / DAY);
}
