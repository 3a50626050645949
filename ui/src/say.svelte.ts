// What is said, in the reader's language. The texts are the ones that Rust reads.

import enPage from "$texts/en/page.json";
import enTerminal from "$texts/en/terminal.json";
import enWindow from "$texts/en/window.json";
import koPage from "$texts/ko/page.json";
import koTerminal from "$texts/ko/terminal.json";
import koWindow from "$texts/ko/window.json";

import type { Language } from "./contract";
import { fill, type Parameters } from "./fill";

const CATALOGUES = {
  en: { ...enPage, ...enTerminal, ...enWindow },
  ko: { ...koPage, ...koTerminal, ...koWindow },
};

export type Key = keyof (typeof CATALOGUES)["en"] & keyof (typeof CATALOGUES)["ko"];

/** A key that has a twin for more than one: `x`, `x-several`. */
export type Counted = { [K in Key]: `${K}-several` extends Key ? K : never }[Key];

const chosen = $state<{ language: Language }>({ language: ofLocale(navigator.language) });

export function language(): Language {
  return chosen.language;
}

export function speak(language: Language): void {
  chosen.language = language;
  document.documentElement.lang = language;
}

export function say(key: Key, parameters?: Parameters): string {
  return fill(CATALOGUES[chosen.language][key], parameters);
}

export function sayCount(key: Counted, count: number, parameters?: Parameters): string {
  const form = count === 1 ? key : (`${key}-several` as Key);
  return say(form, { ...parameters, count });
}

/** The text of a key that may not be there, such as one made from a code. */
export function sayIfKnown(key: string): string | undefined {
  const texts: Record<string, string> = CATALOGUES[chosen.language];
  return Object.hasOwn(texts, key) ? texts[key] : undefined;
}

/** What stands at the start of a line begins with a capital; Korean has none. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function ofLocale(locale: string): Language {
  return locale.toLowerCase().startsWith("ko") ? "ko" : "en";
}
