// The pages that the person's browser shows, as a test of `provider` has written them into the folder that
// KUBEFOB_PAGES names (`cargo xtask test ui` does): no violation that axe knows of in either theme, no text that
// overflows on a narrow screen, and pictures.

import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, test } from "vitest";

import { PAUSE } from "../src/model/question";
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

// Our own question in a browser, by keyboard alone: what was typed for another program answers nothing.
const asks = names.filter((name) => /^(page|pair)/.test(name));
describe.concurrent.each(asks)("page %s", (name) => {
  test("answers nothing to whoever was typing", async () => {
    await withPage(`pages/${name}.html`, { still: true }, async (page) => {
      const answers: (string | null)[] = [];
      await page.route("**/answer", (route) => {
        answers.push(new URLSearchParams(route.request().postData() ?? "").get("answer"));
        return route.fulfill({ status: 204 });
      });
      const press = async (...keys: string[]): Promise<void> => {
        for (const key of keys) await page.keyboard.press(key);
      };
      const always = page.locator("button[value=always]");
      // A 204 leaves the page where it is; what was not sent by then is not sent.
      const nobody = async (): Promise<void> => {
        await page.evaluate(() => undefined);
        expect(answers).toEqual([]);
      };
      await page.clock.runFor(PAUSE);
      await page.keyboard.type("kubectl get ns");
      await press("Enter", "Space");
      await page.clock.runFor(PAUSE);
      await press("Enter");
      expect(await page.evaluate(() => document.activeElement === document.body)).toBe(true);
      await nobody();
      await always.focus();
      await page.clock.runFor(PAUSE - 1);
      for (const key of ["Enter", "Space", "Shift", "ArrowDown", "x"]) {
        await press(key);
        await page.clock.runFor(PAUSE - 1);
      }
      await always.evaluate((button: HTMLButtonElement) => button.click());
      await nobody();
      await page.keyboard.down("Space");
      await page.clock.runFor(PAUSE);
      await page.keyboard.up("Space");
      await nobody();
      await press("x");
      await page.keyboard.down("Enter");
      await page.clock.runFor(PAUSE);
      await page.keyboard.down("Enter");
      await page.keyboard.up("Enter");
      await nobody();
      await page.clock.runFor(PAUSE);
      await page.evaluate(() => dispatchEvent(new Event("focus")));
      await press("Enter");
      await nobody();
      await page.waitForFunction(() => document.querySelector("button[aria-disabled=true]"));
      await page.clock.runFor(PAUSE);
      await page.waitForFunction(() => !document.querySelector("button[aria-disabled=true]"));
      // Answered once it was noted.
      const sent = page.waitForResponse("**/answer");
      await press("Enter");
      await sent;
      expect(answers).toEqual(["always"]);
    });
  });
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
