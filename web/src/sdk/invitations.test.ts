import { describe, expect, test } from "vitest";
import { inviting, noInvitations, withInvitations } from "./invitations";
import type { Invitation } from "./protocol.gen";
import { inside } from "./testing";

const ann: Invitation = { link: 4, address: "ann@example.org", name: null, role: "speaker", state: "queued", reason: null, used: false, token: "a" };
const ben: Invitation = { ...ann, link: 2, address: "ben@example.org" };

describe("invitations by e-mail", () => {
  test("what is new stands in place of what was known of the same link, in order", () => {
    const first = withInvitations(noInvitations, { type: "invitations", id: 1, invitations: [ann, ben], sendsMail: true });
    expect(first).toEqual({ list: [ben, ann], sendsMail: true });
    const sent: Invitation = { ...ann, state: "sent" };
    const next = withInvitations(first, { type: "invitations_changed", invitations: [sent] });
    expect(next).toEqual({ list: [ben, sent], sendsMail: true });
  });

  test("a start is sent in seconds, with the clock of whoever invites", () => {
    const start = new Date(1_795_708_800_500);
    const said = inviting({ addresses: ["ann@example.org"], role: "speaker", start, minutes: 60 });
    expect(said).toEqual({ addresses: ["ann@example.org"], role: "speaker", start: 1_795_708_800, minutes: 60, utcOffset: -start.getTimezoneOffset() });
    expect(inviting({ addresses: [], role: "host" })).toEqual({ addresses: [], role: "host" });
  });

  test("a room asks for them, and its view has them", async () => {
    const { fake, room } = await inside("viewer");
    const asked = room.inviteByMail({ addresses: ["ann@example.org"], role: "speaker" });
    const { id } = await fake.request();
    expect(fake.sent.at(-1)).toEqual({ type: "invite_by_mail", id, addresses: ["ann@example.org"], role: "speaker" });
    fake.say({ type: "invitations", id, invitations: [ann], sendsMail: false });
    expect(await asked).toEqual([ann]);
    fake.say({ type: "invitations_changed", invitations: [{ ...ann, used: true }] });
    expect(room.view.invitations).toEqual({ list: [{ ...ann, used: true }], sendsMail: false });
  });
});
