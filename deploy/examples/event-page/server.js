/** A public event: a landing page, and the room beside the agenda. README.md says how to start it. */

import { randomBytes } from "node:crypto";
import { Dais } from "../common/dais.js";
import { goTo, nameIn, newIdentity, page, same, serve, setting } from "../common/web.js";
import { AGENDA, EVENT } from "./event.js";
import { failedPage, landingPage, livePage, organiserPage } from "./pages.js";

const dais = new Dais({ url: setting("DAIS_URL", "the address of the dais server, http://127.0.0.1:8080"), key: setting("DAIS_API_KEY", "the key dais was started with") });
/** Without one, one that is printed. */
const password = process.env.ORGANISER_PASSWORD || randomBytes(9).toString("base64url");
if (!process.env.ORGANISER_PASSWORD) console.log(`Password of the organiser: ${password}`);

/** Wrong passwords in a minute, by all together: guessing is slow, and costs others nothing but the login. */
const GUESSES_MAX = 20;
let guesses = 0;
setInterval(() => (guesses = 0), 60_000).unref();

/** The room is made when it is needed; it does not end by itself. */
const openRoom = () => dais.ensureRoom({ id: EVENT.room, title: EVENT.title, preset: "webinar", emptyAfterSeconds: 0 });

serve({
  name: "Event page",
  port: Number(process.env.PORT ?? 8081),
  folder: new URL("public/", import.meta.url),
  dais: dais.url,
  failed: failedPage,
  routes: {
    "GET /": async () => page(landingPage({ report: await dais.report(EVENT.room) })),

    // A name is all a visitor needs. What they may do is in the token: watch, ask, raise a hand.
    "POST /watch": ({ fields, remember }) => {
      const name = nameIn(fields);
      if (name === "") return page(landingPage({ report: null, problem: "Type a name: it is how others see you." }), 400);
      remember({ role: "participant", name, identity: newIdentity() });
      return goTo("/live");
    },

    "GET /organiser": () => page(organiserPage({})),
    "POST /organiser": ({ fields, remember }) => {
      if (guesses >= GUESSES_MAX) return page(organiserPage({ problem: "Too many attempts. Wait a minute." }), 429);
      if (!same(fields.get("password") ?? "", password)) {
        guesses += 1;
        return page(organiserPage({ problem: "That is not the password." }), 403);
      }
      remember({ role: "host", name: nameIn(fields) || EVENT.host, identity: newIdentity() });
      return goTo("/live");
    },

    "GET /live": async ({ who }) => {
      if (who === null) return goTo("/");
      await openRoom();
      const token = await dais.token(EVENT.room, who);
      return page(livePage({ who, token, server: dais.url, agenda: AGENDA }));
    },
  },
});
