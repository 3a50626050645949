// Two builds of one tree: the window's (`dist`, the Tauri host alone) and the demo's (`dist-demo`, a
// host with scripted views, for a plain browser, and the page of all pieces).
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig(({ mode }) => {
  const demo = mode === "demo";
  const pages = ["index", "consent", ...(demo ? ["gallery"] : [])];
  return {
    plugins: [svelte()],
    base: "./",
    resolve: {
      alias: {
        $texts: here("../src-tauri/crates/broker/src/texts"),
        $icons: here("../icons/ui"),
        $host: here(demo || mode === "test" ? "src/host/demo.ts" : "src/host/tauri.ts"),
      },
    },
    // Texts and icons stand above this folder.
    server: { fs: { allow: [here("..")] } },
    build: {
      outDir: demo ? "dist-demo" : "dist",
      target: "safari17.5",
      // No `data:` in the page's policy.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      // Whose work is in the pages: for the packages (`xtask/bundle`).
      license: { fileName: ".vite/licences.json" },
      rolldownOptions: { input: pages.map((page) => here(`${page}.html`)) },
    },
    test: {
      env: { TZ: "UTC" },
      reporters: ["default", "./tests/results.ts"],
      projects: [
        { extends: true, test: { name: "unit", include: ["src/**/*.test.ts"] } },
        {
          extends: true,
          test: {
            name: "browser",
            include: ["tests/**/*.test.ts"],
            globalSetup: "tests/setup.ts",
            testTimeout: 60_000,
            maxConcurrency: 3,
          },
        },
      ],
    },
  };
});
