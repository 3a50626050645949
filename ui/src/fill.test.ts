import { expect, test } from "vitest";

import cases from "$texts/cases.json";

import { fill } from "./fill";

// Rust's own test reads the same table (`broker/src/texts.rs`).
test.each(cases)("$template", ({ template, parameters, filled }) => {
  expect(fill(template, parameters as Record<string, string>)).toBe(filled);
});
