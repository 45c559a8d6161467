import { defineConfig } from "vite";

/** The element for other people's pages: a file of its own with a name that stays. */
const ELEMENT = "dais-room";

export default defineConfig({
  // Assets are addressed from the root: the page itself is served under /r/ROOM.
  base: "/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: "index.html", [ELEMENT]: "src/element/served.ts" },
      output: { entryFileNames: ({ name }) => (name === ELEMENT ? "[name].js" : "assets/[name]-[hash].js") },
    },
  },
  server: { proxy: { "/v1": { target: "http://127.0.0.1:8080", ws: true } } },
});
