import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";
import { compressed } from "./build/compressed.ts";
import { frames } from "./build/frames.ts";

export default defineConfig({
  base: "./", // the pane may be served below any path prefix
  plugins: [svelte(), frames(), compressed()],
  build: {
    outDir: "../ipyweb/static",
    emptyOutDir: true,
    target: "es2023",
    // what the entry imports is asked for with it, and not when it has come
    modulePreload: { polyfill: false, resolveDependencies: (_file, files, { hostType }) => (hostType === "html" ? files : files.filter((each) => each.endsWith(".css"))) },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  test: { environment: "happy-dom", include: ["src/**/*.test.ts"] },
});
