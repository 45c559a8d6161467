/** Makes the package `@dais/sdk`, ready to be packed or published, in `dist-sdk` or the folder given. */

import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const web = fileURLToPath(new URL("..", import.meta.url));
const sdk = join(web, "src/sdk");
const out = resolve(process.argv[2] ?? join(web, "dist-sdk"));

rmSync(out, { recursive: true, force: true });
execFileSync(join(web, "node_modules/.bin/tsc"), ["--project", join(web, "sdk-package"), "--outDir", out], { stdio: "inherit" });

// Browsers, Node.js and TypeScript's `nodenext` want the names of files; the sources leave the ending to the bundler.
for (const name of readdirSync(out, { recursive: true }).filter((name) => /\.(js|d\.ts)$/.test(name))) {
  const file = join(out, name);
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace(/(\bfrom |\bimport\(|\bimport )"(\.{1,2}\/[^"]+)"/g, '$1"$2.js"'));
}

for (const name of ["README.md", "example"]) cpSync(join(sdk, name), join(out, name), { recursive: true });
for (const name of ["LICENSE-APACHE", "LICENSE-MIT"]) cpSync(join(web, "..", name), join(out, name));
// The folder of the sources is no package: what the page imports from it is TypeScript, and nothing of it can be published.
const { private: _, publishConfig, ...manifest } = JSON.parse(readFileSync(join(sdk, "package.json"), "utf8"));
const { exports, ...publishing } = publishConfig;
writeFileSync(join(out, "package.json"), `${JSON.stringify({ ...manifest, exports, publishConfig: publishing }, null, 2)}\n`);
