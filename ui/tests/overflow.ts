/**
 * Runs in the page: which text does not fit, in words. What is too long may be cut by an ellipsis if a
 * title has the whole of it.
 */
export function overflowing(): string[] {
  const wrong: string[] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode as Text;
    const parent = text.parentElement;
    if (parent === null || text.data.trim() === "" || !parent.checkVisibility()) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    const box = range.getBoundingClientRect();
    const said = text.data.trim().slice(0, 60);
    for (let at: Element | null = parent; at !== null; at = at.parentElement) {
      const style = getComputedStyle(at);
      // It floats: what it is written in says nothing of its place.
      if (at.matches("dialog, [popover]")) break;
      // A box of one pixel is for screen readers.
      if (style.clipPath !== "none") break;
      const { left, right } = at.getBoundingClientRect();
      const over = box.right > right + 1 || box.left < left - 1;
      if (!over || style.display === "inline" || style.display === "contents") continue;
      if (style.textOverflow !== "ellipsis") {
        wrong.push(`wider than its ${at.tagName.toLowerCase()}: ${said}`);
      } else if (!at.closest("[title]")) {
        wrong.push(`cut without a title: ${said}`);
      }
      break;
    }
  }
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) wrong.push(`the page is ${root.scrollWidth} px wide`);
  return wrong;
}
