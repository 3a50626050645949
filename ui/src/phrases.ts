// Facts and times, in words.

import type { Wall } from "./contract";
import type { Fact } from "./model/account";
import { language, say } from "./say.svelte";
import { moment } from "./time";

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

export function phrase(fact: Fact, now: Wall): string {
  switch (fact.key) {
    case "until":
    case "since":
    case "token-until":
      return say(`window.fact.${fact.key}`, { time: when(fact.at, now) });
    case "clocks":
      return say("window.fact.clocks", { seconds: fact.seconds });
    case "renews":
    case "you-end":
    case "tries-again":
    case "token-over":
      return say(`window.fact.${fact.key}`);
  }
}
