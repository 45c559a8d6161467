/** Invitations by e-mail as a host sees them: a pure function of the server's messages. */

import type { Invitation, Language, Role, ServerMessage } from "./protocol.gen";

/** Whom to invite, and to what. */
export interface NewInvitations {
  /** 1 to 100, each `ann@example.org` or `Ann Lee <ann@example.org>`. */
  addresses: string[];
  role: Role;
  /** The mail says when it is, and has a calendar file. */
  start?: Date;
  /** How long it takes. */
  minutes?: number;
  language?: Language;
}

export interface InvitationsView {
  /** In the order they were made. */
  list: readonly Invitation[];
  /** The server sends mail; else links are there to be copied. `null` until it has said so. */
  sendsMail: boolean | null;
}

export const noInvitations: InvitationsView = { list: [], sendsMail: null };

type News = Extract<ServerMessage, { type: "invitations" | "invitations_changed" }>;

/** Adds what is new, and puts it in place of what was known of the same link. */
export function withInvitations(view: InvitationsView, news: News): InvitationsView {
  const known = new Map(view.list.map((invitation) => [invitation.link, invitation]));
  news.invitations.forEach((invitation) => known.set(invitation.link, invitation));
  const list = [...known.values()].sort((a, b) => a.link - b.link);
  return { list, sendsMail: news.type === "invitations" ? news.sendsMail : view.sendsMail };
}

/** As the protocol has it: the start by the clock of this person, too. */
export function inviting({ start, ...wanted }: NewInvitations): Omit<NewInvitations, "start"> & { start?: number; utcOffset?: number } {
  if (start === undefined) return wanted;
  return { ...wanted, start: Math.floor(start.getTime() / 1_000), utcOffset: -start.getTimezoneOffset() };
}
