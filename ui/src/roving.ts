// Arrows in a list: one stop for Tab, the arrows move within.

/** Moves the focus among the `[data-row]` of a list, for the keys that do so. */
export function moveInList(list: HTMLElement, event: KeyboardEvent): void {
  const rows = [...list.querySelectorAll<HTMLElement>("[data-row]")];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const to = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    Home: 0,
    End: rows.length - 1,
  }[event.key];
  if (to === undefined || rows.length === 0) return;
  event.preventDefault();
  focusRow(rows, Math.max(0, Math.min(to, rows.length - 1)));
}

export function focusRow(rows: HTMLElement[], at: number): void {
  rows[at]?.focus();
  rows[at]?.scrollIntoView({ block: "nearest" });
}

/** Whether this key opens a row's menu. */
export function opensMenu(event: KeyboardEvent): boolean {
  return event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey);
}
