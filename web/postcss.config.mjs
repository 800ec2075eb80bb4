import { fileURLToPath } from "node:url";

const woff2Only = fileURLToPath(new URL("scripts/woff2-only.cjs", import.meta.url));

export default { plugins: { "@tailwindcss/postcss": {}, [woff2Only]: {} } };
