// Facts and times, in words.

import type { Wall } from "./contract";
import type { Fact } from "./model/account";
import { language, say } from "./say.svelte";
import { moment } from "./time";

const DAY = 86_400;

export function when(at: Wall, now: Wall): string {
  const said = moment(at, now, language());
  switch (said.day) {
    case "today":
      return said.time;
    case "yesterday":
      return say("window.time.yesterday", { time: said.time });
    case "tomorrow":
      return say("window.time.tomorrow", { time: said.time });
    case "other":
      return say("window.time.other", { date: said.date, time: said.time });
  }
}

/** A span as people say it: to the minute, to the hour, to the day. */
export function lasting(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return say("terminal.minutes", { count: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return say("terminal.hours", { count: hours });
  return say("terminal.days", { count: Math.floor(hours / 24) });
}

export function phrase(fact: Fact, now: Wall): string {
  switch (fact.key) {
    case "until":
    case "since":
    case "token-until":
    case "tries-again-at":
      return say(`window.fact.${fact.key}`, { time: when(fact.at, now) });
    case "survives":
      return say("window.fact.survives", { time: lasting(fact.seconds) });
    case "clocks":
      return fact.seconds < 2 * DAY
        ? say("window.fact.clocks", { seconds: fact.seconds })
        : say("window.fact.clocks-days", { days: Math.round(fact.seconds / DAY) });
    case "renews":
    case "you-end":
    case "token-over":
      return say(`window.fact.${fact.key}`);
  }
}
