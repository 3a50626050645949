// Each screen in both themes and languages: no violation that axe knows of, nothing in the console (so
// nothing that the strict policy refused), and its picture where KUBEFOB_PICTURES names a folder.

import axe from "axe-core";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { useBrowser, withPage } from "./browser";
import { address, SCREENS } from "./screens";

const pictures = process.env.KUBEFOB_PICTURES;

useBrowser();

for (const seen of SCREENS) {
  describe(seen.name, () => {
    for (const language of ["en", "ko"] as const) {
      for (const theme of ["light", "dark"] as const) {
        test(`${theme} ${language}`, async () => {
          await withPage(address(seen, language, theme), { viewport: seen.size }, async (page) => {
            await seen.act?.(page);
            if (pictures !== undefined) {
              await mkdir(pictures, { recursive: true });
              const name = `ui-${seen.name}-${theme}-${language}.png`;
              await page.screenshot({ path: join(pictures, name) });
            }
            await page.evaluate(axe.source);
            const found = await page.evaluate(() =>
              window.axe.run({ resultTypes: ["violations"] }),
            );
            const told = found.violations.map(
              ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`,
            );
            expect(told).toEqual([]);
          });
        });
      }
    }
    test.runIf(pictures !== undefined)("at 200 %", async () => {
      for (const language of ["en", "ko"] as const) {
        for (const theme of ["light", "dark"] as const) {
          const options = { viewport: seen.size, deviceScaleFactor: 2 };
          await withPage(address(seen, language, theme), options, async (page) => {
            await seen.act?.(page);
            const name = `ui-${seen.name}-${theme}-${language}@2.png`;
            await page.screenshot({ path: join(pictures ?? "", name) });
          });
        }
      }
    });
  });
}

declare global {
  interface Window {
    axe: typeof axe;
  }
}
