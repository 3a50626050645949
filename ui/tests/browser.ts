// A browser for a file of tests, and a page that fails its test by any error in its console.

import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, inject } from "vitest";

import type { demo } from "../src/host/demo";

declare global {
  var demo: typeof import("../src/host/demo").demo;
}

export type Demo = typeof demo;

// Without these its own connections to Google's hosts are made, and refused, at every start.
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const AN_HOUR = 3_600_000;

let browser: Browser;

/** To be called once, at the top of a file of tests. */
export function useBrowser(): void {
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: process.env.KUBEFOB_CHROMIUM ?? "/usr/bin/chromium",
      args: FLAGS,
      env: {
        ...(process.env as Record<string, string>),
        FONTCONFIG_FILE: fileURLToPath(new URL("fonts.conf", import.meta.url)),
      },
    });
  });
  afterAll(() => browser?.close());
}

/**
 * Opens a page, and afterwards looks whether it said anything that it should not. In a `still` one no time goes by
 * but what a test lets go.
 */
export async function withPage(
  path: string,
  { still = false, ...options }: BrowserContextOptions & { still?: boolean },
  test: (page: Page) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext({
    viewport: { width: 860, height: 560 },
    timezoneId: "UTC",
    reducedMotion: "reduce",
    ...options,
  });
  try {
    const page = await context.newPage();
    const wrong: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") wrong.push(message.text());
    });
    page.on("pageerror", (error) => wrong.push(String(error)));
    if (still) {
      // The clock runs from here until it is paused, and it is never set back: paused far beyond what that may take.
      await page.clock.install({ time: 0 });
      await page.clock.pauseAt(AN_HOUR);
    }
    // A page in the browser goes on to the provider by itself: there it would be gone.
    await page.route(/\.example\//, (route) => route.fulfill({ status: 204 }));
    await page.goto(`${inject("address")}/${path}`);
    await page.waitForSelector("body > *");
    await test(page);
    if (wrong.length > 0) throw new Error(wrong.join("\n"));
  } finally {
    await context.close();
  }
}
