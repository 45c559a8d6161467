/** The package as those who use it get it: packed, and installed without a network. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const web = fileURLToPath(new URL("..", import.meta.url));
const read = (path) => readFileSync(path, "utf8");

/** Builds, packs and installs take their time on a busy machine, ms. */
const PREPARING_MS_MAX = 120_000;

let folder;
let installed;
const run = (program, args, cwd) => {
  try {
    return execFileSync(program, args, { cwd, encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    throw new Error(`${program} ${args.join(" ")}\n${error.stdout}${error.stderr}`);
  }
};
const files = () => readdirSync(installed, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(installed.length + 1));

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dais-sdk-"));
  const [built, consumer] = [join(folder, "built"), folder];
  run(process.execPath, [join(web, "sdk-package/build.mjs"), built], web);
  const [{ filename }] = JSON.parse(run("npm", ["pack", "--json", "--pack-destination", folder], built));
  writeFileSync(join(consumer, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }));
  run("npm", ["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", join(folder, filename)], consumer);
  installed = join(consumer, "node_modules/@dais/sdk");
}, PREPARING_MS_MAX);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("what is in the package", () => {
  test("is the SDK, the element, an example and the licenses, and nothing of the page or of tests", () => {
    const expected = /^(sdk|element)\/[a-z.-]+\.(js|d\.ts)$|^example\/(index\.html|main\.ts)$|^(package\.json|README\.md|LICENSE-(APACHE|MIT))$/;
    expect(files().filter((file) => !expected.test(file) || /test|served/.test(file))).toEqual([]);
    expect(files()).toEqual(expect.arrayContaining(["sdk/index.js", "sdk/index.d.ts", "element/index.js", "element/index.d.ts", "README.md", "LICENSE-MIT", "LICENSE-APACHE"]));
  });

  test("imports nothing from elsewhere", () => {
    const imported = files()
      .filter((file) => /\.(js|d\.ts)$/.test(file))
      .flatMap((file) => [...read(join(installed, file)).matchAll(/(?:\bfrom |\bimport\(|\bimport )"([^"]+)"/g)].map(([, what]) => [file.split("/")[0], what]));
    expect(imported.length).toBeGreaterThan(20);
    expect(imported.filter(([, what]) => !/^\.\/[a-z.-]+\.js$/.test(what))).toEqual([]);
  });

  test("shows nothing: the SDK touches no page", () => {
    const touches = files().filter((file) => /^sdk\/.*\.js$/.test(file) && /\bdocument\b|createElement|innerHTML|preact/.test(read(join(installed, file))));
    expect(touches).toEqual([]);
  });

  test("has the version and the license of the server, and no dependencies", () => {
    const workspace = read(join(web, "../Cargo.toml")).split("[workspace.package]")[1];
    const of = (field) => new RegExp(`^${field} = "(.*)"$`, "m").exec(workspace)[1];
    const { name, version, license, private: isPrivate, dependencies } = JSON.parse(read(join(installed, "package.json")));
    expect({ name, version, license, isPrivate, dependencies }).toEqual({ name: "@dais/sdk", version: of("version"), license: of("license"), isPrivate: undefined, dependencies: undefined });
  });

  test("is an example that the README shows to the letter", () => {
    const readme = read(join(installed, "README.md"));
    for (const name of ["index.html", "main.ts"]) expect(readme).toContain(`\n${read(join(installed, "example", name))}\`\`\``);
  });
});

describe("whoever installs the package", () => {
  test.each(["nodenext", "bundler"])("has its types, with %s resolution, also where libraries are checked", (resolution) => {
    writeFileSync(join(folder, "main.ts"), read(join(installed, "example/main.ts")));
    writeFileSync(
      join(folder, "element.ts"),
      `import { RoomError } from "@dais/sdk/element";
       import type { RoomElementEvent } from "@dais/sdk/element";
       const room = document.createElement("dais-room");
       room.addEventListener("ended", (event) => console.log((event as RoomElementEvent<"ended">).detail.code satisfies string));
       room.setMicrophone(true).catch((error: unknown) => error instanceof RoomError && (error.code satisfies string));`,
    );
    const module = resolution === "nodenext" ? "nodenext" : "esnext";
    const compilerOptions = { target: "es2022", module, moduleResolution: resolution, lib: ["es2023", "dom", "dom.iterable"], types: [], strict: true, skipLibCheck: false, exactOptionalPropertyTypes: true, noEmit: true };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["main.ts", "element.ts"] }));
    run(join(web, "node_modules/.bin/tsc"), ["--project", folder], folder);
  }, PREPARING_MS_MAX);

  test("can make a room without a browser, which says hello and is told why it is over", () => {
    writeFileSync(
      join(folder, "run.mjs"),
      `import { Room, memoryOf, forgetfulStore } from "@dais/sdk";
       const sent = [];
       let events;
       const connect = (given) => ((events = given), { send: (message) => sent.push(message.type), close: () => {} });
       const environment = { now: () => 0, random: () => 0, after: () => () => {}, onNetwork: () => () => {} };
       const peer = () => ({ offer: async () => "", close: () => {}, isAlive: () => false, onTrouble: () => {} });
       const room = new Room({ connect, token: "t", memory: memoryOf("t", forgetfulStore(), forgetfulStore()), environment, peer });
       events.open();
       events.message({ type: "closed", code: "session_ended", text: "Over." });
       console.log(JSON.stringify({ sent, phase: room.view.phase }));`,
    );
    const told = JSON.parse(run(process.execPath, ["run.mjs"], folder));
    expect(told).toEqual({ sent: ["hello"], phase: { at: "closed", failure: { code: "session_ended", text: "Over." } } });
  });

  test("sees these names", () => {
    writeFileSync(join(folder, "names.mjs"), `import * as sdk from "@dais/sdk"; console.log(JSON.stringify(Object.keys(sdk)));`);
    expect(JSON.parse(run(process.execPath, ["names.mjs"], folder))).toMatchInlineSnapshot(`
      [
        "Activities",
        "CHANNELS",
        "CHAT_SHOWN",
        "LAYOUT",
        "Peer",
        "Presenting",
        "Refused",
        "Room",
        "ViewerList",
        "answerTo",
        "awayTooLong",
        "browserEnvironment",
        "cameraSlotOf",
        "claimOf",
        "closed",
        "forgetfulStore",
        "inViewersOrder",
        "initialChat",
        "initialPolls",
        "initialView",
        "isFound",
        "lost",
        "memoryOf",
        "missed",
        "moderates",
        "openPoll",
        "pageBefore",
        "permits",
        "reduce",
        "resuming",
        "roleIn",
        "self",
        "sessionSummary",
        "stageAction",
        "stagePeople",
        "statistics",
        "summaryTable",
        "viewerPeople",
        "webSocket",
        "withAnswer",
        "withNews",
        "withPage",
        "withPollList",
        "withPollNews",
      ]
    `);
  });
});
