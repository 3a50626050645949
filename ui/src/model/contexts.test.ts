import { expect, test } from "vitest";

import type { ContextView } from "../contract";
import { search } from "./contexts";

const contexts: ContextView[] = ["branch-edge", "acme-eu-1", "staging"].map((name) => ({
  name,
  server: `https://api.${name}.example`,
  user: "u",
  namespace: name === "staging" ? "acme" : null,
  account: null,
  kubelogin: false,
}));

const found = (text: string) => search(contexts, text).map(({ name }) => name);

test("every word must be in it; names stand before the rest", () => {
  expect(found("")).toEqual(["branch-edge", "acme-eu-1", "staging"]);
  expect(found("ACME")).toEqual(["acme-eu-1", "staging"]);
  expect(found("eu acme")).toEqual(["acme-eu-1"]);
  expect(found("edge zz")).toEqual([]);
});
