// Once for all browser tests: builds the demo, and serves it under the window's own strict policy.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import type { TestProject } from "vitest/node";

import tauri from "../../src-tauri/tauri.conf.json" with { type: "json" };

declare module "vitest" {
  interface ProvidedContext {
    address: string;
  }
}

/** The window's own, as Tauri has it. */
const WINDOW = Object.entries(tauri.app.security.csp)
  .map(([name, value]) => `${name} ${value}`)
  .join("; ");

/** That of the pages in the browser (`provider/src/listener.rs`), which a test of theirs has left in a folder. */
const PAGES =
  "default-src 'none'; style-src 'nonce-nonce'; script-src 'nonce-nonce'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const pages = process.env.KUBEFOB_PAGES;

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
};

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await build({ mode: "demo", logLevel: "warn" });
  const root = fileURLToPath(new URL("../dist-demo", import.meta.url));
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://x").pathname;
    const page = path.match(/^\/pages\/([^/]+)$/)?.[1];
    const file =
      page !== undefined && pages !== undefined
        ? join(pages, page)
        : join(root, normalize(path === "/" ? "/index.html" : path));
    readFile(file)
      .then((body) => {
        const type = TYPES[extname(file)] ?? "application/octet-stream";
        const policy = page === undefined ? WINDOW : PAGES;
        response.writeHead(200, { "content-type": type, "content-security-policy": policy });
        response.end(body);
      })
      // A browser asks for an icon, too.
      .catch(() => response.writeHead(path === "/favicon.ico" ? 204 : 404).end());
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const at = server.address();
  if (at === null || typeof at === "string") throw new Error("no port");
  project.provide("address", `http://127.0.0.1:${at.port}`);
  return () => new Promise((closed) => server.close(() => closed()));
}
