import { defineConfig } from "vite";

export default defineConfig({
  // Assets are addressed from the root: the page itself is served under /r/ROOM.
  base: "/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { proxy: { "/v1": { target: "http://127.0.0.1:8080", ws: true } } },
});
