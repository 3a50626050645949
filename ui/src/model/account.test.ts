import { expect, test } from "vitest";

import type { AccountView, StateWord } from "../contract";
import { facts, helped, initials, issuerText, title, where } from "./account";
import { ring } from "./state";

const NOW = 1_000_000_000;
const MINUTE = 60_000;

function account(change: Partial<AccountView> = {}): AccountView {
  return {
    id: "a",
    label: "sso.example",
    issuer: "https://sso.example/realms/work",
    client_id: "kubernetes",
    state: "signed-in",
    is_new: false,
    asked: null,
    survives: null,
    tries_again: null,
    since: null,
    obtained: NOW - 10 * MINUTE,
    name: "test",
    groups: [],
    expires: NOW + 10 * MINUTE,
    signed_in: NOW - 10 * MINUTE,
    renews: true,
    clock_off: null,
    waiting: [],
    refused_by: [],
    problem: null,
    ...change,
  };
}

test.each([
  ["https://sso.example/realms/work", "sso.example / work"],
  ["https://sso.example:8443/", "sso.example:8443"],
  ["https://sso.example/realms/%EC%97%85%EB%AC%B4", "sso.example / 업무"],
  ["not a url", "not a url"],
])("the issuer %s is said as %s", (issuer, said) => {
  expect(issuerText(issuer)).toBe(said);
});

test("a name stands before the account's label, and the label is not said twice", () => {
  expect(title(account())).toBe("test");
  expect(where(account())).toBe("sso.example / work");
  expect(where(account({ label: "work" }))).toBe("work · sso.example / work");
  expect(title(account({ name: null }))).toBe("sso.example");
  expect(where(account({ name: null, label: "work" }))).toBe("sso.example / work");
  expect(where(account({ name: null }))).toBe("work");
  expect(where(account({ name: null, issuer: "https://sso.example" }))).toBe("kubernetes");
});

test.each([
  ["j.park", "JP"],
  ["test", "T"],
  ["ops@branch", "OB"],
  ["김수민", "수민"],
  ["", "?"],
])("%s is drawn as %s", (name, letters) => {
  expect(initials(name)).toBe(letters);
});

test("what is said of time is what is known", () => {
  const keys = (change: Partial<AccountView>) => facts(account(change), NOW).map(({ key }) => key);
  const states: Record<StateWord, string[]> = {
    "signed-in": ["renews", "since"],
    renewing: ["token-until"],
    "cannot-reach": ["token-until"],
    "signing-in": [],
    "signed-out": [],
    "needs-you": [],
    refused: [],
  };
  for (const [state, expected] of Object.entries(states)) {
    expect(keys({ state: state as StateWord })).toEqual(expected);
  }
  expect(keys({ renews: false })).toEqual(["until", "you-end"]);
  expect(keys({ renews: false, expires: NOW - 1 })).toEqual([]);
  expect(keys({ state: "cannot-reach", expires: NOW - 1 })).toEqual(["token-over"]);
  expect(keys({ state: "cannot-reach", tries_again: NOW + MINUTE })).toEqual([
    "token-until",
    "tries-again-at",
  ]);
  expect(keys({ survives: 1800 })).toEqual(["renews", "survives"]);
  expect(keys({ clock_off: -40 })).toEqual(["renews", "since", "clocks"]);
});

test("the ring is whole where nothing ends, and else what is left", () => {
  expect(ring(account(), NOW)).toEqual({ kind: "part", of: 1 });
  expect(ring(account({ renews: false }), NOW)).toEqual({ kind: "part", of: 0.5 });
  expect(ring(account({ renews: false, expires: NOW }), NOW)).toEqual({ kind: "mark" });
  expect(ring(account({ state: "cannot-reach" }), NOW)).toEqual({ kind: "part", of: 0.5 });
  expect(ring(account({ state: "needs-you" }), NOW)).toEqual({ kind: "mark" });
});

test("one button is filled: the first that helps, or none", () => {
  const of = (...states: StateWord[]) =>
    helped(states.map((state, place) => account({ id: String(place), state })));
  expect(of("needs-you", "refused", "signed-in")).toBe("0");
  expect(of("signed-in", "refused")).toBe("1");
  expect(of("signed-in", "signed-out")).toBe(null);
  expect(of("signed-out", "signed-out")).toBe("0");
  expect(of()).toBe(null);
});
