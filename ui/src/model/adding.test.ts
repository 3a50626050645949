import { expect, test } from "vitest";

import { isAboutTheIssuer, issuerOf, scopesOf } from "./adding";

test.each([
  [" https://sso.example/realms/work ", "https://sso.example/realms/work"],
  ["https://sso.example/", "https://sso.example/"],
  ["http://localhost:8080", "http://localhost:8080"],
  ["https:/", null],
  ["https://", null],
  ["sso.example", null],
  ["file:///etc/passwd", null],
  ["", null],
])("%j is asked as %j", (text, issuer) => expect(issuerOf(text)).toBe(issuer));

test("scopes are typed as people type them", () => {
  expect(scopesOf(" groups, email  offline_access,")).toEqual([
    "groups",
    "email",
    "offline_access",
  ]);
  expect(scopesOf("")).toEqual([]);
});

test("what is wrong stands beside its field", () => {
  expect(isAboutTheIssuer("wrong-issuer")).toBe(true);
  expect(isAboutTheIssuer("label-taken")).toBe(false);
});
