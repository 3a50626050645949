// No text overflows at the smallest size of the window, in either language: what is too long is cut by an
// ellipsis and has the whole of it in a title, or breaks.

import { expect, test } from "vitest";

import { useBrowser, withPage } from "./browser";
import { address, SCREENS, SMALLEST } from "./screens";

useBrowser();

for (const seen of SCREENS.filter(({ page }) => page !== "gallery")) {
  for (const language of ["en", "ko"] as const) {
    test(`${seen.name} ${language}`, async () => {
      const viewport = seen.page === "consent" ? { ...seen.size, width: 520 } : SMALLEST;
      await withPage(address(seen, language), { viewport }, async (page) => {
        await seen.act?.(page);
        expect(await page.evaluate(overflowing)).toEqual([]);
      });
    });
  }
}

/** Runs in the page: what does not fit, in words. */
function overflowing(): string[] {
  const wrong: string[] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode as Text;
    const parent = text.parentElement;
    if (parent === null || text.data.trim() === "" || !parent.checkVisibility()) continue;
    if (parent.closest(".hidden, title, script")) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    const box = range.getBoundingClientRect();
    if (box.width === 0) continue;
    const said = text.data.trim().slice(0, 60);
    for (let at: Element | null = parent; at !== null; at = at.parentElement) {
      const style = getComputedStyle(at);
      // It floats: what it is written in says nothing of its place.
      if (at.matches("dialog, [popover]")) break;
      // Its box was left for one of one pixel: it is for screen readers.
      if (style.clipPath !== "none") break;
      const { left, right } = at.getBoundingClientRect();
      const over = box.right > right + 1 || box.left < left - 1;
      if (!over || style.display === "inline" || style.display === "contents") continue;
      if (style.textOverflow === "ellipsis") {
        if (!at.closest("[title]")) wrong.push(`cut without a title: ${said}`);
        break;
      }
      wrong.push(`wider than its ${at.tagName.toLowerCase()}: ${said}`);
      break;
    }
  }
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) wrong.push(`the page is ${root.scrollWidth} px wide`);
  return wrong;
}
