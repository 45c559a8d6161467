/** `@dais/sdk/element`: `<dais-room>` in a bundle of your own. There the attribute `server` says where rooms are. */

import { define } from "./element";

export { DaisRoomElement, RoomError } from "./element";
export type { RoomElementEvent } from "./element";
export type { ColourName, Failure, RoomEvents } from "./messages";

define(null);
