/** What the page says to people; each kind of notice has one text. */

import type { Ability, Access, Allowed, Failure, Invitation, Notice, OwnNotice, Role } from "../sdk";

export const ACCESS_LABELS: Record<Access, string> = {
  everyone: "Everyone on stage",
  request: "Join by request",
  invite: "Invite only",
};

export const ROLE_LABELS: Record<Role, string> = { host: "Host", moderator: "Moderator", speaker: "Speaker", participant: "Participant" };

export const ABILITY_LABELS: Record<Ability, string> = {
  chat: "Write in the chat",
  react: "Send reactions",
  raise_hand: "Raise a hand",
  answer_polls: "Answer polls and quizzes",
  quick_poll: "Start a quick poll",
  present: "Present a screen",
};

export const ALLOWED_LABELS: Record<Allowed, string> = {
  nobody: "Nobody (off)",
  moderators: "Hosts and moderators",
  speakers: "Speakers too",
  everyone: "Everyone",
};

/** What somebody may do, in a sentence. */
const ABILITY_WORDS: Record<Ability, string> = {
  chat: "write in the chat",
  react: "send reactions",
  raise_hand: "raise a hand",
  answer_polls: "answer polls and quizzes",
  quick_poll: "start a quick poll",
  present: "present",
};

/** Who may, in a sentence. */
const ALLOWED_WORDS: Record<Allowed, string> = {
  nobody: "Nobody",
  moderators: "Only hosts and moderators",
  speakers: "Only hosts, moderators and speakers",
  everyone: "Everyone",
};

export const INVITED = "You have been invited to join the stage";
export const CONNECTION_LOST = "Connection lost. Reconnecting…";
export const CONNECTION_BACK = "You are back.";

function accessText(access: Access): string {
  switch (access) {
    case "everyone":
      return "everyone can join the stage";
    case "request":
      return "participants ask to join the stage";
    case "invite":
      return "only people who are invited can join the stage";
    default:
      return access satisfies never;
  }
}

/** The text of a notice, for the person who is told. */
export function noticeText(notice: Notice | OwnNotice): string {
  switch (notice.kind) {
    case "request_arrived":
      return `${notice.name} wants to join the stage`;
    case "request_cancelled":
      return `${notice.name} does not want to join the stage any more.`;
    case "invitation_sent":
      return `Your invitation went to ${notice.name}.`;
    case "invitation_declined":
      return `${notice.name} declined your invitation.`;
    case "request_declined":
      return `${notice.by} declined your request to join the stage. You can ask again.`;
    case "return_declined":
      return `${notice.by} took back your right to return to the stage.`;
    case "request_closed":
      return notice.access === "everyone"
        ? "Your request is closed: everyone can join the stage now. Just join."
        : "Your request is closed: only people who are invited can join the stage now.";
    case "invited":
      return INVITED;
    case "invitation_withdrawn":
      return `${notice.by} took the invitation to the stage back.`;
    case "removed_from_stage":
      return `${notice.by} removed you from the stage. You are a viewer now.`;
    case "stage_full":
      return `The stage was full, and you had been silent the longest: ${notice.admitted} has your place. You are a viewer now and can join again.`;
    case "stage_smaller":
      return `${notice.by} made the stage smaller, and you had been silent the longest. You are a viewer now and can join again.`;
    case "muted":
      return `${notice.by} muted your microphone.`;
    case "camera_stopped":
      return `${notice.by} stopped your camera.`;
    case "asked_to_unmute":
      return `${notice.by} asks you to unmute`;
    case "hand_lowered":
      return `${notice.by} lowered your hand.`;
    case "chat_blocked":
      return `${notice.by} blocked you from the chat.`;
    case "chat_unblocked":
      return `${notice.by} lets you chat again.`;
    case "camera_waiting":
      return "Your camera is waiting: more recent cameras have all the places. It will be shown again when one is free.";
    case "camera_shown_again":
      return "Your camera is shown again.";
    case "permission_changed":
      return `${ALLOWED_WORDS[notice.allowed]} can ${ABILITY_WORDS[notice.ability]} now (${notice.by} changed this).`;
    case "presenting_started":
      return `${notice.name} presents now.`;
    case "presenting_ended":
      return `${notice.name} stopped presenting.`;
    case "presenting_stopped":
      return notice.takenOver ? `${notice.by} presents now, in your place.` : `${notice.by} stopped your presentation.`;
    case "access_changed":
      return `${notice.by} changed stage access to “${ACCESS_LABELS[notice.access]}”: ${accessText(notice.access)}.`;
    case "connection_back":
      return CONNECTION_BACK;
    case "away_too_long":
      return "You were away for too long, so you have left the room. You can come back in.";
    case "let_in_as_viewer":
      return notice.text;
    default:
      return notice satisfies never;
  }
}

/** How long ago something was, `ms` milliseconds: "5 s", "3 min", "2 h". */
export function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3_600)} h`;
}

/** How long a link is of use, `seconds`: "for 6 more days". */
export function validFor(seconds: number): string {
  const units = [[86_400, "day"], [3_600, "hour"], [60, "minute"]] as const;
  const [length, unit] = units.find(([length]) => seconds >= length) ?? [60, "minute"];
  const count = Math.max(1, Math.round(seconds / length));
  return `for ${count} more ${unit}${count === 1 ? "" : "s"}`;
}

/** What became of an invitation by e-mail. */
export function invitationText({ state, reason, used, token }: Invitation): string {
  if (used) return token === null ? "came in; the link is no longer valid" : "has come in";
  switch (state) {
    case "queued":
      return reason === null ? "being sent" : `will be sent again: ${reason}`;
    case "sent":
      return token === null ? "sent; the link is no longer valid" : "sent";
    case "failed":
      return `not sent: ${reason ?? "the mail server refused it"}`;
    case "withdrawn":
      return "withdrawn";
    case "link_only":
      return token === null ? "the link is no longer valid" : "for you to pass on";
    default:
      return state satisfies never;
  }
}

/** What can be done on the last screen. */
export type WayOn = { label: string; how: "reload" | "use_here" } | null;

export interface Ending {
  title: string;
  text: string;
  code: string | null;
  wayOn: WayOn;
}

const AGAIN = { label: "Try again", how: "reload" } as const;

/** The last screen after `failure`: what happened, and what to do now. */
export function ending({ code, text }: Failure): Ending {
  const screen = (title: string, words: string, wayOn: WayOn = null): Ending => ({ title, text: words, code, wayOn });
  switch (code) {
    case "left":
      return { title: "You have left the room", text: "", code: null, wayOn: { label: "Come back in", how: "reload" } };
    case "session_ended":
      return screen("The session has ended", "It is over for everyone. You can close this window.");
    case "removed_from_room":
      return screen("You were removed from the room", "A moderator removed you. You cannot come back with your link.");
    case "replaced":
      return screen("This room is open in another window", "You came in from another window or device, so this one was closed.", {
        label: "Use it here",
        how: "use_here",
      });
    case "room_locked":
      return screen("The room is locked", "Nobody new comes in at the moment. Ask a host to unlock the room, then try again.", AGAIN);
    case "room_full":
      return screen("The room is full", "As many people are inside as it can hold. Try again when somebody has left.", AGAIN);
    case "link_expired":
    case "token_expired":
      return screen("This link has expired", "Ask whoever invited you for a new one.");
    case "link_revoked":
      return screen("This link was withdrawn", "Ask whoever invited you for a new one.");
    case "link_used":
      return screen("This link was used already", "It was for one person, who has come in with it. Ask for a link of your own.");
    case "link_unknown":
    case "token_invalid":
    case "no_link":
      return screen("This link does not work", text);
    case "unknown_room":
      return screen("There is no such room", "It may have been closed, or the link was copied with a mistake. Ask whoever invited you.");
    case "protocol_version":
      return screen("This page is out of date", "The server was renewed while it was open. Load the page again.", { label: "Load again", how: "reload" });
    case "rate_limited":
      return screen("Too much at once", "This window sent more requests than a person makes. Wait a moment, then come back in.", AGAIN);
    default:
      return screen("You are disconnected", text, { label: "Come back in", how: "reload" });
  }
}
