/** `/dais-room.js` of a server: `<dais-room>` with its rooms. */

import { define } from "./element";

define(new URL(import.meta.url).origin);
