// The window's own host: the only file that knows Tauri.

import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import { getCurrentWindow } from "@tauri-apps/api/window";

import type { ProblemView, Told, View } from "../contract";
import type { Host } from "./host";

export const host: Host = {
  async listen(heard) {
    await Promise.all([
      listen<View>("view", ({ payload }) => heard.view(payload)),
      listen<ProblemView | null>("gone", ({ payload }) => heard.gone(payload)),
      listen("back", () => heard.back()),
    ]);
    await invoke("ready");
  },
  send: (command) => invoke<Told>("send", { command }),
  copy: (text) => navigator.clipboard.writeText(text),
  close: () => void getCurrentWindow().close(),
  now: () => Date.now(),
};
