// An account as it is shown: names, facts, and the one thing to do.

import type { AccountView, Code, Wall } from "../contract";
import { needsAPerson } from "./state";

/** The biggest thing on the card: who. Where nobody is known, what the account is called. */
export function title(account: AccountView): string {
  return account.name ?? account.label;
}

/** Beside it: where, and what the account is called, as far as that is not said yet. */
export function where(account: AccountView): string {
  const place = issuerText(account.issuer);
  const said = title(account);
  if (place === said) return account.client_id;
  if (place.startsWith(`${said} / `)) return place.slice(said.length + 3);
  const called = account.label;
  const isPlace = place === called || place.startsWith(`${called} / `);
  return called === said || isPlace ? place : `${called} · ${place}`;
}

/** An issuer as people say it: its host, and the last part of its path where it has one. */
export function issuerText(issuer: string): string {
  const url = parsed(issuer);
  if (url === null || url.host === "") return issuer;
  const parts = url.pathname.split("/").filter((part) => part !== "");
  const last = parts.at(-1);
  return last === undefined ? url.host : `${url.host} / ${decoded(last)}`;
}

export function host(url: string): string {
  return parsed(url)?.host || url;
}

/** Up to two letters for the ring. */
export function initials(name: string): string {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "");
  const first = [...(words[0] ?? "?")];
  const second = words[1] === undefined ? "" : ([...words[1]][0] ?? "");
  const letters = second === "" ? first.slice(0, 1).join("") : `${first[0]}${second}`;
  // Two syllables of a Korean name are its given name.
  if (second === "" && /^\p{Script=Hangul}+$/u.test(words[0] ?? ""))
    return first.slice(-2).join("");
  return letters.toUpperCase();
}

/** What is known beside the state's word; each is a text's key with a time, if it has one. */
export type Fact =
  | { key: "renews" | "you-end" | "token-over" }
  | { key: "survives"; seconds: number }
  | { key: "until" | "since" | "token-until" | "tries-again-at"; at: Wall }
  | { key: "clocks"; seconds: number };

export function facts(account: AccountView, now: Wall): Fact[] {
  const facts: Fact[] = [];
  const left = account.expires !== null && account.expires > now ? account.expires : null;
  switch (account.state) {
    case "signed-in":
      if (account.renews) {
        facts.push({ key: "renews" });
        if (account.survives !== null) facts.push({ key: "survives", seconds: account.survives });
        else if (account.signed_in !== null) facts.push({ key: "since", at: account.signed_in });
      } else if (left !== null) {
        facts.push({ key: "until", at: left }, { key: "you-end" });
      }
      break;
    case "renewing":
    case "cannot-reach":
      if (left !== null) facts.push({ key: "token-until", at: left });
      else if (account.state === "cannot-reach") facts.push({ key: "token-over" });
      if (account.tries_again !== null)
        facts.push({ key: "tries-again-at", at: account.tries_again });
      break;
    case "signing-in":
    case "signed-out":
    case "needs-you":
    case "refused":
      break;
  }
  if (account.clock_off !== null)
    facts.push({ key: "clocks", seconds: Math.abs(account.clock_off) });
  return facts;
}

/** The problems that a state's word has said already. */
const SAID: ReadonlySet<Code> = new Set<Code>(["signed-out", "not-signed-in"]);

export function toldProblem(account: AccountView): AccountView["problem"] {
  return account.problem === null || SAID.has(account.problem.code) ? null : account.problem;
}

/** At most one filled button on a screen: on the first account that a sign-in would help. */
export function helped(accounts: readonly AccountView[]): string | null {
  const needs = accounts.find((account) => needsAPerson(account.state));
  if (needs !== undefined) return needs.id;
  const anybody = accounts.some((account) => account.state !== "signed-out");
  return anybody ? null : (accounts[0]?.id ?? null);
}

function parsed(url: string): URL | null {
  try {
    return new URL(url);
  } catch {
    return null;
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
