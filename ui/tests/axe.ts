// axe, in whichever page is open.

import axe from "axe-core";
import type { Page } from "playwright-core";

declare global {
  interface Window {
    axe: typeof axe;
  }
}

/** What it finds wrong in the page as it is, by all of its rules or by one. */
export async function violations(page: Page, rule?: string): Promise<string[]> {
  await page.evaluate(axe.source);
  const options: axe.RunOptions = { resultTypes: ["violations"], ...(rule && { runOnly: rule }) };
  const found = await page.evaluate((options) => window.axe.run(options), options);
  return found.violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`,
  );
}
