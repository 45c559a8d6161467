import { describe, expect, test } from "vitest";
import type { Notice, OwnNotice } from "../sdk";
import { ACCESS_LABELS, CONNECTION_LOST, ago, ending, noticeText, invitationText, validFor } from "./texts";

/** One of each kind: the compiler sees to it that none is missing. */
const EVERY: { [Kind in (Notice | OwnNotice)["kind"]]: Extract<Notice | OwnNotice, { kind: Kind }> } = {
  request_arrived: { kind: "request_arrived", participant: 1, name: "Sara" },
  request_cancelled: { kind: "request_cancelled", participant: 1, name: "Sara" },
  invitation_sent: { kind: "invitation_sent", name: "Sara" },
  invitation_declined: { kind: "invitation_declined", name: "Sara" },
  request_declined: { kind: "request_declined", by: "Maya" },
  return_declined: { kind: "return_declined", by: "Maya" },
  request_closed: { kind: "request_closed", access: "invite" },
  invited: { kind: "invited", by: "Maya" },
  invitation_withdrawn: { kind: "invitation_withdrawn", by: "Maya" },
  removed_from_stage: { kind: "removed_from_stage", by: "Maya" },
  stage_full: { kind: "stage_full", admitted: "Sara" },
  stage_smaller: { kind: "stage_smaller", by: "Maya" },
  muted: { kind: "muted", by: "Maya" },
  camera_stopped: { kind: "camera_stopped", by: "Maya" },
  asked_to_unmute: { kind: "asked_to_unmute", by: "Maya" },
  hand_lowered: { kind: "hand_lowered", by: "Maya" },
  chat_blocked: { kind: "chat_blocked", by: "Maya" },
  chat_unblocked: { kind: "chat_unblocked", by: "Maya" },
  camera_waiting: { kind: "camera_waiting" },
  camera_shown_again: { kind: "camera_shown_again" },
  permission_changed: { kind: "permission_changed", ability: "chat", allowed: "moderators", by: "Maya" },
  presenting_started: { kind: "presenting_started", participant: 2, name: "Ben" },
  presenting_ended: { kind: "presenting_ended", participant: 2, name: "Ben" },
  presenting_stopped: { kind: "presenting_stopped", by: "Maya", takenOver: true },
  access_changed: { kind: "access_changed", access: "request", by: "Maya" },
  connection_back: { kind: "connection_back" },
  away_too_long: { kind: "away_too_long" },
  let_in_as_viewer: { kind: "let_in_as_viewer", code: "stage_full", text: "The stage is full." },
};

describe("texts", () => {
  // law: told-moderators, told-participants, told-everywhere
  test("every notice has its own, and names who did it", () => {
    const texts = Object.values(EVERY).map(noticeText);
    expect(new Set(texts).size).toBe(texts.length);
    for (const notice of Object.values(EVERY)) {
      const text = noticeText(notice);
      expect(text).not.toBe("");
      if (notice.kind === "invited") continue;
      if ("by" in notice) expect(text).toContain(notice.by);
      if ("name" in notice) expect(text).toContain(notice.name);
    }
  });

  test("every state of an invitation has its own, and says what the mail server said", () => {
    const states = ["queued", "sent", "failed", "withdrawn", "link_only"] as const;
    const invitation = { link: 1, address: "ann@example.org", name: null, role: "speaker", reason: null, used: false, token: "a" } as const;
    const texts = states.map((state) => invitationText({ ...invitation, state }));
    expect(new Set(texts).size).toBe(states.length);
    for (const state of ["queued", "failed"] as const) expect(invitationText({ ...invitation, state, reason: "550 nobody" })).toContain("550 nobody");
    expect(invitationText({ ...invitation, state: "sent", used: true })).toBe("has come in");
  });

  // law: join-request, join-invite
  test("the words of the law stand letter for letter", () => {
    expect(noticeText(EVERY.invited)).toBe("You have been invited to join the stage");
    expect(noticeText(EVERY.request_arrived)).toBe("Sara wants to join the stage");
    expect(noticeText(EVERY.invitation_sent)).toBe("Your invitation went to Sara.");
    expect(Object.values(ACCESS_LABELS)).toEqual(["Everyone on stage", "Join by request", "Invite only"]);
    expect(CONNECTION_LOST).toBe("Connection lost. Reconnecting…");
  });

  // law: access-change
  test("a request that is closed says what can be done now", () => {
    expect(noticeText({ kind: "request_closed", access: "everyone" })).toContain("Just join");
    expect(noticeText({ kind: "request_closed", access: "invite" })).toContain("only people who are invited");
  });

  test.each([[0, "0 s"], [20_400, "20 s"], [59_400, "59 s"], [61_000, "1 min"], [3_599_000, "59 min"], [7_300_000, "2 h"], [-5, "0 s"]])("%d ms ago is %s", (ms, text) => expect(ago(ms)).toBe(text));

  test.each([[604_800, "for 7 more days"], [86_400, "for 1 more day"], [7_200, "for 2 more hours"], [90, "for 2 more minutes"], [5, "for 1 more minute"]])("%d s is %s", (seconds, text) => expect(validFor(seconds)).toBe(text));

  test("each end has its own screen, and an unknown one says what the server said", () => {
    const codes = ["left", "session_ended", "removed_from_room", "replaced", "room_locked", "room_full", "token_expired", "link_revoked", "link_used", "token_invalid", "unknown_room", "protocol_version", "rate_limited"];
    const titles = codes.map((code) => ending({ code, text: "" }).title);
    expect(new Set(titles).size).toBe(codes.length);
    expect(ending({ code: "of_later", text: "Something else." })).toMatchObject({ text: "Something else.", code: "of_later" });
    expect(ending({ code: "replaced", text: "" }).wayOn).toEqual({ label: "Use it here", how: "use_here" });
  });
});
