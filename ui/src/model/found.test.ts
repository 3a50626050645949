import { expect, test } from "vitest";

import { view } from "../host/demo/views";
import { contextsOf, isFirst, offers, others } from "./found";

test("the first start is told from every other", () => {
  expect(isFirst(view("first", "en"))).toBe(true);
  for (const later of ["three", "empty", "found", "signed-out"] as const)
    expect(isFirst(view(later, "en")), later).toBe(false);
  const begun = view("first", "en");
  for (const account of begun.accounts) account.state = "signing-in";
  expect(isFirst(begun)).toBe(false);
  // Added by hand, and named by no kubeconfig yet.
  const added = view("first", "en");
  expect(isFirst({ ...added, kubeconfig: null })).toBe(false);
});

test("accounts of the first start and what is found are offered alike", () => {
  const offered = offers(view("first", "en"));
  expect(offered.map(({ id, contexts }) => [id, contexts])).toEqual([
    ["sso.ddanzit.example", ["kubernetes"]],
    ["f1", ["staging", "acme-eu-1"]],
  ]);
  expect(contextsOf(view("files", "en"), "dex.branch.example")).toEqual([
    "branch-edge",
    "edge",
    "edge-lab",
  ]);
});

test("another's plugin is said where somebody calls it", () => {
  const any = (): boolean => true;
  expect(others(view("others", "en"), any)?.is).toBe("others");
  expect(others(view("first", "en"), any)).toBeNull();
  expect(others({ ...view("three", "en"), plugin: view("others", "en").plugin }, any)).toBeNull();
});
