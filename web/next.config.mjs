import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

/** The only version number of the tree; the build id made from it keeps two builds byte-identical. */
function version() {
  const source = readFileSync(new URL("../venom_core/_version.py", import.meta.url), "utf8");
  const found = /__version__\s*=\s*"([^"]+)"/.exec(source);
  if (!found) throw new Error("venom_core/_version.py has no __version__: the build id is made from it");
  return found[1];
}

/** @type {import("next").NextConfig} */
export default {
  output: "export",
  reactStrictMode: true,
  poweredByHeader: false,
  devIndicators: false,
  images: { unoptimized: true },
  turbopack: { root: here },
  generateBuildId: () => version(),
};
