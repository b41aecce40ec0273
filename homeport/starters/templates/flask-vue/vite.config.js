import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

// The front end lives in client/; what is built goes to dist/, from where Flask serves it.
export default defineConfig({
  root: "client",
  plugins: [vue()],
  build: { outDir: "../dist", emptyOutDir: true },
  // At home Vite serves the page and hands every /api request on to Flask. Addresses in the code are relative everywhere.
  server: { proxy: { "/api": "http://127.0.0.1:5006" } },
});
