/** A video portal: people log in, make rooms and meet in them. README.md says how to start it. */

import { Dais } from "../common/dais.js";
import { goTo, json, nameIn, newIdentity, page, serve, setting } from "../common/web.js";
import { failedPage, homePage, loginPage, roomPage } from "./pages.js";

const dais = new Dais({ url: setting("DAIS_URL", "the address of the dais server, http://127.0.0.1:8080"), key: setting("DAIS_API_KEY", "the key dais was started with") });

/** Most rooms at a time: each costs a request whenever somebody looks at the list. */
const ROOMS_MAX = 50;
/** What kinds of rooms there are, and the presets of dais they are. */
const PRESETS = { meeting: "meeting", webinar: "webinar" };

/** Rooms by id. A real portal has them in its database. */
const rooms = new Map();

/** Rooms as they are, with how many are in each. dais ends a room that is empty for a while: then it leaves the list too. */
async function liveRooms(who) {
  const reports = await Promise.all([...rooms.values()].map(async (room) => ({ room, report: await dais.report(room.id) })));
  for (const { room, report } of reports) if (report === null) rooms.delete(room.id);
  return reports
    .filter(({ report }) => report !== null)
    .map(({ room: { id, title, kind, owner }, report: { onStage, viewers } }) => ({ id, title, kind, owner: owner.name, mine: owner.identity === who.identity, onStage, viewers, count: onStage + viewers }));
}

/** What somebody is in a room. It is decided here, and signed into their token: a browser cannot change it. */
const roleIn = (room, who) => (room.owner.identity === who.identity ? "host" : "participant");

/** Only for those who have logged in. */
const loggedIn = (run) => (request) => (request.who === null ? goTo("/login") : run(request));

serve({
  name: "Video portal",
  port: Number(process.env.PORT ?? 8082),
  folder: new URL("public/", import.meta.url),
  dais: dais.url,
  failed: failedPage,
  routes: {
    // A name is enough for an example. A real portal asks for a password, or lets somebody else do so (OpenID Connect).
    "GET /login": () => page(loginPage({})),
    "POST /login": ({ fields, remember }) => {
      const name = nameIn(fields);
      if (name === "") return page(loginPage({ problem: "Type your name." }), 400);
      remember({ name, identity: newIdentity() });
      return goTo("/");
    },

    "GET /": loggedIn(async ({ who }) => page(homePage({ who, rooms: await liveRooms(who) }))),
    "GET /rooms.json": loggedIn(async ({ who }) => json(await liveRooms(who))),

    "POST /rooms": loggedIn(async ({ fields, who }) => {
      const title = (fields.get("title") ?? "").replace(/\p{C}+/gu, " ").trim().slice(0, 80);
      const kind = fields.get("kind") in PRESETS ? fields.get("kind") : "meeting";
      const refuse = async (problem) => page(homePage({ who, rooms: await liveRooms(who), problem }), 400);
      if (title === "") return refuse("Give the room a name.");
      if (rooms.size >= ROOMS_MAX) return refuse("There are as many rooms as this portal takes.");
      const id = newIdentity();
      await dais.ensureRoom({ id, title, preset: PRESETS[kind] });
      rooms.set(id, { id, title, kind, owner: who });
      return goTo(`/rooms/${id}`);
    }),

    "GET /rooms/:room": loggedIn(async ({ params, who }) => {
      const room = rooms.get(params.room);
      if (room === undefined || (await dais.report(room.id)) === null) return page(failedPage("This room is over."), 404);
      const role = roleIn(room, who);
      const token = await dais.token(room.id, { role, name: who.name, identity: who.identity });
      return page(roomPage({ who, room, role, token, server: dais.url }));
    }),

    "POST /rooms/:room/end": loggedIn(async ({ params, who }) => {
      const room = rooms.get(params.room);
      if (room === undefined || roleIn(room, who) !== "host") return page(failedPage("Only who made a room may end it."), 403);
      await dais.end(room.id);
      rooms.delete(room.id);
      return goTo("/");
    }),
  },
});
