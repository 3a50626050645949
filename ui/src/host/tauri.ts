// The window's own host: the only file that knows Tauri.

import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import { getCurrentWindow } from "@tauri-apps/api/window";

import type { ScreenName, Told, View } from "../contract";
import type { Host } from "./host";

export const host: Host = {
  async listen(heard) {
    await Promise.all([
      listen<View>("view", ({ payload }) => heard.view(payload)),
      listen("gone", () => heard.gone()),
      listen("back", () => heard.back()),
      listen<ScreenName>("go", ({ payload }) => heard.go(payload)),
    ]);
    await invoke("ready");
  },
  send: (command) => invoke<Told>("send", { command }),
  async copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // WebKit has it only where it sees that somebody clicked; the older way asks for no more than that.
      copyByMarking(text);
    }
  },
  fit: (height) => void invoke("fit", { height }),
  close: () => void getCurrentWindow().close(),
  now: () => Date.now(),
};

function copyByMarking(text: string): void {
  const before = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "hidden";
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  if (before instanceof HTMLElement) before.focus();
  if (!copied) throw new Error("nothing was copied");
}
