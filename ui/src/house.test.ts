// What must hold of the tree itself.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { ICONS } from "./pieces/icons";

const SRC = new URL(".", import.meta.url).pathname;
const files = readdirSync(SRC, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name));
const source = files
  .filter((file) => /\.(ts|svelte)$/.test(file) && !file.endsWith(".test.ts"))
  .map((file) => ({ file: file.slice(SRC.length), text: readFileSync(file, "utf8") }));

test("one file knows Tauri", () => {
  const knowing = source.filter(({ text }) => text.includes("@tauri-apps/"));
  expect(knowing.map(({ file }) => file)).toEqual(["host/tauri.ts"]);
});

test("no style or script stands in an attribute, where the policy refuses it", () => {
  const written = source.filter(({ text }) => /\s(style|onload|onerror)="/.test(text));
  expect(written.map(({ file }) => file)).toEqual([]);
});

test("every text and icon is used, and every piece stands in the gallery", () => {
  const all = source.map(({ text }) => text).join("\n");
  const texts = JSON.parse(
    readFileSync(join(SRC, "../../src-tauri/crates/broker/src/texts/en/window.json"), "utf8"),
  ) as Record<string, string>;
  // Made from a code, a state or the like.
  const made = /^window\.(hint|add\.hint|revocation|keep|keep-fresh|theme|places|by|fact)\./;
  const unused = Object.keys(texts).filter(
    (key) => !made.test(key) && !all.includes(`"${key.replace(/-several$/, "")}"`),
  );
  expect(unused).toEqual([]);
  const icons = readdirSync(join(SRC, "../../icons/ui")).map((name) => name.slice(0, -4));
  expect(icons.sort()).toEqual(Object.keys(ICONS).sort());
  const gallery = source.find(({ file }) => file === "Gallery.svelte")?.text ?? "";
  const pieces = source
    .map(({ file }) => file.match(/^pieces\/(\w+)\.svelte$/)?.[1])
    .filter((piece) => piece !== undefined);
  // A dialog stands before everything, and is photographed on its screen.
  expect(pieces.filter((piece) => !gallery.includes(`<${piece}`))).toEqual([
    "Dialog",
    "IconButton",
  ]);
});
