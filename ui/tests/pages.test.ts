// The pages that the person's browser shows, as a test of `provider` has written them into the folder that
// KUBEFOB_PAGES names (`cargo xtask test ui` does): no violation that axe knows of in either theme, no text that
// overflows on a narrow screen, and pictures.

import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, test } from "vitest";

import { violations } from "./axe";
import { useBrowser, withPage } from "./browser";
import { overflowing } from "./overflow";
import { picture, pictures } from "./pictures";

const SIZE = { width: 860, height: 720 };
const NARROW = { width: 360, height: 640 };

const folder = process.env.KUBEFOB_PAGES;
const names =
  folder === undefined ? [] : readdirSync(folder).map((file) => basename(file, ".html"));

useBrowser();

test.skipIf(folder === undefined)("pages: they are there", () => {
  expect(names.length).toBeGreaterThan(0);
});

describe.concurrent.each(names)("page %s", (name) => {
  test.each(["light", "dark"] as const)("%s", async (colorScheme) => {
    const wrong: string[] = [];
    const scales = pictures === undefined ? [1] : [1, 2];
    for (const deviceScaleFactor of scales) {
      const options = { viewport: SIZE, colorScheme, deviceScaleFactor };
      await withPage(`pages/${name}.html`, options, async (page) => {
        const at = deviceScaleFactor === 1 ? "" : `@${deviceScaleFactor}`;
        await picture(page, `page-${name}-${colorScheme}${at}`, true);
        if (deviceScaleFactor > 1) return;
        wrong.push(...(await violations(page)));
        await page.setViewportSize(NARROW);
        wrong.push(...(await page.evaluate(overflowing)));
        await picture(page, `page-${name}-${colorScheme}-narrow`, true);
      });
    }
    if (wrong.length > 0) throw new Error(wrong.join("\n"));
  });
});
