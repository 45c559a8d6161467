/** A very small web server: pages that escape what people typed, forms, and a signed cookie that says who somebody is. */

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

/** Longest form that is read, bytes. */
const FORM_BYTES_MAX = 8 * 1024;
/** Longest name that is kept, characters: as long as dais takes. */
const NAME_LENGTH_MAX = 64;

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
class Html {
  constructor(text) {
    this.text = text;
  }
}

/** HTML in which every value is escaped, but what this function has made. */
export function html(parts, ...values) {
  const written = (value) => (value instanceof Html ? value.text : Array.isArray(value) ? value.map(written).join("") : String(value ?? "").replace(/[&<>"']/g, (c) => ENTITIES[c]));
  return new Html(parts.reduce((text, part, n) => text + written(values[n - 1]) + part));
}

/** A whole page; `head` is what this one needs besides. */
export const documentOf = ({ title, top, body, head = "" }) => html`<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${title}</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="/public/style.css" />
    ${head}
  </head>
  <body>
    <header class="top">${top}</header>
    ${body}
  </body>
</html>`;

export const problemText = (problem) => (problem ? html`<p class="problem" role="alert">${problem}</p>` : "");

/** Whoever has this secret can say who they are: a new one with each start, so that a restart logs everybody out. */
const SECRET = randomBytes(32);
const signature = (text) => createHmac("sha256", SECRET).update(text).digest("base64url");
export const same = (a, b) => {
  const [x, y] = [a, b].map((text) => createHmac("sha256", SECRET).update(text).digest());
  return timingSafeEqual(x, y);
};

/** Who this is, from their cookie; null for those who have none of ours. */
function visitor(request) {
  const cookie = /(?:^|;\s*)visitor=([\w-]+)\.([\w-]+)/.exec(request.headers.cookie ?? "");
  if (cookie === null || !same(signature(cookie[1]), cookie[2])) return null;
  return JSON.parse(Buffer.from(cookie[1], "base64url").toString());
}

/** The header that makes somebody known. */
function remember(request, who) {
  const value = Buffer.from(JSON.stringify(who)).toString("base64url");
  const secure = request.headers["x-forwarded-proto"] === "https" ? "; Secure" : "";
  return `visitor=${value}.${signature(value)}; HttpOnly; SameSite=Lax; Path=/${secure}`;
}

async function form(request) {
  let text = "";
  for await (const chunk of request) {
    text += chunk;
    if (text.length > FORM_BYTES_MAX) throw Object.assign(new Error("The form is too long."), { status: 413 });
  }
  return new URLSearchParams(text);
}

/** A name as it was typed, without what nobody can see. */
export const nameIn = (fields) => (fields.get("name") ?? "").replace(/[\p{C}\p{Z}]+/gu, " ").trim().slice(0, NAME_LENGTH_MAX);
export const newIdentity = () => randomBytes(12).toString("hex");

export const page = (body, status = 200) => ({ status, headers: { "content-type": "text/html; charset=utf-8" }, body: `<!doctype html>\n${body.text}` });
export const json = (value) => ({ status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(value) });
export const goTo = (path) => ({ status: 303, headers: { location: path }, body: "" });

const TYPES = { css: "text/css; charset=utf-8", js: "text/javascript; charset=utf-8", svg: "image/svg+xml" };

/**
 * Serves `routes`, functions by method and path ("POST /rooms/:room/end") that are given `{ params, fields, who, remember }`
 * and answer with one of the above. Files come from `folder`.
 */
export function serve({ name, port, folder, dais, routes, failed }) {
  // Scripts and frames come from here and from the dais server, and nowhere else.
  const policy = `default-src 'self'; script-src 'self' ${dais}; frame-src ${dais}; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`;
  const security = { "content-security-policy": policy, "x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "cache-control": "no-store" };
  const table = Object.entries(routes).map(([route, run]) => {
    const [method, path] = route.split(" ");
    return { method, run, pattern: new RegExp(`^${path.replace(/:(\w+)/g, "(?<$1>[\\w-]+)")}$`) };
  });

  async function answer(request) {
    const { pathname } = new URL(request.url, "http://localhost");
    const file = /^\/public\/([\w-]+\.(css|js|svg))$/.exec(pathname);
    if (file !== null) return { status: 200, headers: { "content-type": TYPES[file[2]] }, body: await readFile(new URL(file[1], folder)) };
    // A form on somebody else's page is not to be sent in the name of our visitors.
    if (request.method === "POST" && !["same-origin", undefined].includes(request.headers["sec-fetch-site"])) throw Object.assign(new Error("This form is on another site."), { status: 403 });
    for (const { method, run, pattern } of table) {
      const found = method === request.method ? pattern.exec(pathname) : null;
      if (found === null) continue;
      let cookie = null;
      const fields = method === "POST" ? await form(request) : new URLSearchParams();
      const answered = await run({ params: found.groups ?? {}, fields, who: visitor(request), remember: (who) => (cookie = remember(request, who)) });
      return cookie === null ? answered : { ...answered, headers: { ...answered.headers, "set-cookie": cookie } };
    }
    throw Object.assign(new Error("There is no such page."), { status: 404 });
  }

  const server = createServer(async (request, response) => {
    let answered;
    try {
      answered = await answer(request);
    } catch (error) {
      const status = error.status ?? (error.code === "ENOENT" ? 404 : 502);
      if (status === 502) console.error(error);
      answered = page(failed(status === 502 ? "The rooms cannot be reached at the moment. Try again soon." : error.message), status);
    }
    response.writeHead(answered.status, { ...security, ...answered.headers }).end(answered.body);
  });
  server.listen(port, process.env.HOST ?? "127.0.0.1", () => {
    const { address, port } = server.address();
    console.log(`${name}: http://${address}:${port}`);
  });
}

/** A setting that has to be there. */
export function setting(name, text) {
  const value = process.env[name];
  if (value) return value;
  console.error(`${name} is not set: ${text}`);
  process.exit(1);
}
