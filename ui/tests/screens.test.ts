// Each screen in both languages: no violation that axe knows of in either theme, no text that overflows at the
// smallest size, nothing in the console (so nothing that the strict policy refused). Where KUBEFOB_PICTURES
// names a folder, pictures of all of them are left there.

import { describe, test } from "vitest";

import { violations } from "./axe";
import { useBrowser, withPage } from "./browser";
import { overflowing } from "./overflow";
import { picture, pictures } from "./pictures";
import { address, SCREENS, SMALLEST } from "./screens";

useBrowser();

describe.concurrent.each(SCREENS)("$name", (seen) => {
  test.each(["en", "ko"] as const)("%s", async (language) => {
    await withPage(address(seen, language), { viewport: seen.size }, async (page) => {
      const wrong: string[] = [];
      await seen.act?.(page);
      await picture(page, `${seen.name}-light-${language}`);
      wrong.push(...(await violations(page)));
      await page.evaluate(() => (document.documentElement.dataset.theme = "dark"));
      await picture(page, `${seen.name}-dark-${language}`);
      // Colours are all that a theme changes.
      wrong.push(...(await violations(page, "color-contrast")));
      if (seen.page !== "gallery") {
        await page.setViewportSize(SMALLEST[seen.page]);
        wrong.push(...(await page.evaluate(overflowing)));
        await picture(page, `${seen.name}-small-${language}`);
      }
      if (wrong.length > 0) throw new Error(wrong.join("\n"));
    });
  });

  if (pictures === undefined) return;
  test.each(["en", "ko"] as const)("%s at 200 %", async (language) => {
    const options = { viewport: seen.size, deviceScaleFactor: 2 };
    await withPage(address(seen, language), options, async (page) => {
      await seen.act?.(page);
      await picture(page, `${seen.name}-light-${language}@2`);
      await page.evaluate(() => (document.documentElement.dataset.theme = "dark"));
      await picture(page, `${seen.name}-dark-${language}@2`);
    });
  });
});
