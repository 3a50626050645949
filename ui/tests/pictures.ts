// Pictures of what a test has on its screen, where KUBEFOB_PICTURES names a folder for them.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";

export const pictures = process.env.KUBEFOB_PICTURES;

/** Of what can be seen, or of the `whole` page. */
export async function picture(page: Page, name: string, whole = false): Promise<void> {
  if (pictures === undefined) return;
  await mkdir(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `ui-${name}.png`), fullPage: whole });
}
