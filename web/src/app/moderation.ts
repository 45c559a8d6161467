/** What a moderator can do to somebody: a pure function of the room. */

import { claimOf, moderates, self } from "../sdk";
import type { Participant, View } from "../sdk";

export type Deed =
  | "approve"
  | "decline"
  | "invite"
  | "withdraw_invitation"
  | "lower_hand"
  | "stop_presenting"
  | "remove_from_stage"
  | "mute"
  | "ask_to_unmute"
  | "stop_camera"
  | "block_from_chat"
  | "unblock_from_chat"
  | "remove_from_room";

export interface Offered {
  deed: Deed;
  label: string;
}

/** What the menu of `person` offers to whoever looks at `view`; nothing to those who do not moderate. */
export function offeredDeeds(view: View, person: Participant): Offered[] {
  const me = self(view);
  if (me === null || !moderates(me.role)) return [];
  const own = person.id === me.id;
  const deeds = person.onStage === null ? aboutViewer(view, person, own) : aboutOnStage(person.onStage, own);
  if (view.presentation.participant === person.id) deeds.push({ deed: "stop_presenting", label: "Stop presenting" });
  // Only a host blocks or removes a host; nobody removes themselves from the room, they leave it.
  if (!own && (me.role === "host" || person.role !== "host")) {
    deeds.push(person.chatBlocked === true ? { deed: "unblock_from_chat", label: "Let chat again" } : { deed: "block_from_chat", label: "Block from chat" });
    deeds.push({ deed: "remove_from_room", label: "Remove from the room" });
  }
  return deeds;
}

function aboutOnStage({ mic, camera }: NonNullable<Participant["onStage"]>, own: boolean): Offered[] {
  const deeds: Offered[] = [];
  if (mic) deeds.push({ deed: "mute", label: "Mute" });
  else if (!own) deeds.push({ deed: "ask_to_unmute", label: "Ask to unmute" });
  if (camera !== "off") deeds.push({ deed: "stop_camera", label: "Stop camera" });
  deeds.push({ deed: "remove_from_stage", label: "Remove from stage" });
  return deeds;
}

function aboutViewer(view: View, person: Participant, own: boolean): Offered[] {
  const deeds: Offered[] = own ? [] : aboutClaim(view, person.id);
  if (person.hand !== null) deeds.push({ deed: "lower_hand", label: "Lower hand" });
  return deeds;
}

function aboutClaim(view: View, id: number): Offered[] {
  const claim = claimOf(view, id);
  switch (claim) {
    case "asked":
      return [{ deed: "approve", label: "Bring to stage" }, { deed: "decline", label: "Decline" }];
    case "invited":
      return [{ deed: "withdraw_invitation", label: "Withdraw invitation" }];
    case "may_return":
      return [{ deed: "invite", label: "Invite on stage" }, { deed: "decline", label: "Take back the right to return" }];
    case "none":
      return [{ deed: "invite", label: "Invite on stage" }];
    default:
      return claim satisfies never;
  }
}
