// Adding an account: when an issuer is worth asking, and which field a refusal is about.

import type { Code, Told } from "../contract";

/** What is known of the provider behind an issuer. */
export type Answer =
  { is: "unknown" } | { is: "asking"; issuer: string } | { is: "told"; issuer: string; told: Told };

/** The issuer that was typed, if it is whole enough to be asked. */
export function issuerOf(text: string): string | null {
  const issuer = text.trim();
  const url = URL.parse(issuer);
  const isWeb = url !== null && /^https?:$/.test(url.protocol) && /^https?:\/\/[^/]/i.test(issuer);
  return isWeb && url.hostname !== "" ? issuer : null;
}

const ABOUT_THE_CLIENT: ReadonlySet<Code> = new Set<Code>(["label-taken"]);

export function isAboutTheIssuer(code: Code): boolean {
  return !ABOUT_THE_CLIENT.has(code);
}

/** Scopes as they were typed: by blanks or commas. */
export function scopesOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((scope) => scope !== "");
}
