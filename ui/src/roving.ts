// Arrows in a list: one stop for Tab, the arrows move within. And a focus that is never lost.

import { tick } from "svelte";

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

/** Changes what is shown. What had the focus may be gone then: its row has it next, or the row in its place. */
export async function keepFocus(change: () => void): Promise<void> {
  const row = document.activeElement?.closest<HTMLElement>("[data-row]");
  const list = row?.parentElement;
  const at = list ? [...list.querySelectorAll("[data-row]")].indexOf(row) : -1;
  change();
  await tick();
  if (!row || document.activeElement !== document.body) return;
  const rows = [...(list?.querySelectorAll<HTMLElement>("[data-row]") ?? [])];
  const next = row.isConnected ? row : rows[Math.min(at, rows.length - 1)];
  (next ?? document.querySelector<HTMLElement>("h1"))?.focus();
}
