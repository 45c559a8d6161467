/** Each way on stage, walked by a host and two participants. */

import { expect, expectLive, test } from "./dais";
import type { Person } from "./dais";

/** Nobody negotiated twice, and no page had an error. */
async function onceEach(...people: Person[]): Promise<void> {
  for (const person of people) {
    expect(await person.negotiations(), person.name).toEqual({ local: 1, remote: 1, errors: [] });
  }
}

test.describe("everyone on stage", () => {
  // law: join-everyone, join-window, moderate-counts, viewer-watches, stage-look, viewer-listed
  test("participants join by themselves, and a moderator sees how many are on stage", async ({ open }) => {
    const host = await open("Host", "Maya Levin");
    const ann = await open("Participant", "Ann Lee");
    const ben = await open("Participant", "Ben Okoro");
    await host.join("Join as viewer");
    await ann.join("Join stage");
    await ben.join("Join as viewer");
    await expectLive(ben, 1, 1);
    await ben.toolbar().getByRole("button", { name: "Join stage" }).click();
    await ben.getReady();
    await expectLive(host, 2, 2);
    await expect(host.page.getByRole("heading", { name: "On stage · 2 of 100" })).toBeVisible();
    await expect(ann.page.getByRole("heading", { name: "On stage · 2" })).toBeVisible();
    await expect(ann.page.getByRole("heading", { name: "Viewers · 1" })).toBeVisible();
    await expect(ann.list("Viewers").getByText("Maya Levin")).toBeVisible();
    await expect(ann.list("On stage").getByRole("listitem").filter({ hasText: "Ben Okoro" }).getByTitle(/unmuted|speaking/)).toBeVisible();
    await expect(ann.tile("Ben Okoro").locator("video.seen")).toBeVisible();
    await ben.toolbar().getByRole("button", { name: "Turn camera off" }).click();
    await expect(ann.tile("Ben Okoro").getByText("BO", { exact: true })).toBeVisible();
    await onceEach(host, ann, ben);
  });

  // law: stage-own-icons, stage-devices, entry-remembered, stage-no-leaving
  test("on stage one's own icons switch, devices are saved, and there is no way to step down", async ({ open }) => {
    const ann = await open("Participant", "Ann Lee");
    await ann.join("Join stage");
    const own = ann.list("On stage").getByRole("listitem").filter({ hasText: "Ann Lee" });
    await own.getByRole("button", { name: "Turn microphone off" }).click();
    await expect(ann.tile("Ann Lee").getByText("· muted")).toBeVisible();
    await ann.tile("Ann Lee").getByRole("button", { name: "Turn microphone on" }).click();
    await ann.tile("Ann Lee").getByRole("button", { name: "Turn camera off" }).click();
    await expect(ann.tile("Ann Lee").locator("video")).toHaveCount(0);
    await expect(ann.page.getByText(/leave the stage/i)).toHaveCount(0);
    await ann.menu("Settings", "Set devices");
    const devices = ann.page.getByRole("dialog", { name: "Set devices" });
    const camera = devices.getByLabel("Camera", { exact: true });
    const label = await camera.locator("option").last().textContent();
    await camera.selectOption({ label: label ?? "" });
    await devices.getByRole("button", { name: "Done" }).click();
    const chosen = await ann.page.evaluate(() => localStorage.getItem("dais.devices"));
    expect(JSON.parse(chosen ?? "{}").camera, "saved by itself").not.toBeNull();
    await ann.page.reload();
    await expect(ann.page.getByRole("main", { name: "Stage" }), "a reload resumes").toBeVisible();
    await ann.menu("Settings", "Set devices");
    await expect(devices.getByLabel("Camera", { exact: true }).locator("option:checked")).toHaveText(label ?? "");
  });
});

test.describe("join by request", () => {
  test.use({ args: ["--preset", "webinar"] });

  // law: join-request, told-moderators, told-participants, access-menus
  test("asking, cancelling, declining, asking again, and being brought to the stage", async ({ open }) => {
    const host = await open("Host", "Maya Levin");
    const ann = await open("Participant", "Ann Lee");
    const ben = await open("Participant", "Ben Okoro");
    await expect(ann.button("Join stage"), "the panel's entry window offers no stage").toHaveCount(0);
    for (const person of [host, ann, ben]) await person.join("Join as viewer");
    await ann.toolbar().getByRole("button", { name: "Ask to join stage" }).click();
    await expect(host.notices().getByText("Ann Lee wants to join the stage")).toBeVisible();
    await ann.toolbar().getByRole("button", { name: "Cancel request" }).click();
    await expect(host.page.getByRole("heading", { name: /Wants to join the stage/ })).toHaveCount(0);
    await expect(host.notices().getByText("Ann Lee wants to join the stage")).toHaveCount(0);

    await ben.toolbar().getByRole("button", { name: "Ask to join stage" }).click();
    await ann.toolbar().getByRole("button", { name: "Ask to join stage" }).click();
    const queue = host.list("Wants to join the stage").getByRole("listitem");
    await expect(queue).toHaveCount(2);
    await expect(queue.first(), "the oldest first").toContainText("Ben Okoro");
    await queue.first().getByRole("button", { name: "Decline" }).click();
    await expect(ben.notices().getByText(/declined/)).toBeVisible();
    await ben.toolbar().getByRole("button", { name: "Ask to join stage" }).click();
    await expect(queue.last(), "a second request").toContainText("Ben Okoro");

    const popUp = host.notices().locator(".toast").filter({ hasText: "Ann Lee wants to join the stage" });
    await popUp.getByRole("button", { name: "Bring to stage" }).click();
    await expect(ann.notices().getByText("You have been invited to join the stage")).toBeVisible();
    await ann.notices().getByRole("button", { name: "Join stage" }).click();
    await ann.getReady();
    await expectLive(ben, 1, 1);

    // Decided for everyone at once: a request is closed, and told so.
    await host.menu("Settings", "Everyone on stage", "menuitemradio");
    await expect(ben.notices().getByText(/Everyone/).first()).toBeVisible();
    await expect(ben.toolbar().getByRole("button", { name: "Join stage" })).toBeVisible();
    await expect(queue).toHaveCount(0);
    await ben.toolbar().getByRole("button", { name: "Join stage" }).click();
    await ben.getReady();
    await expectLive(host, 2, 2);
    await onceEach(host, ann, ben);
  });

  // law: join-decided-once
  test("of two moderators the second is told who was faster", async ({ server, open }) => {
    const host = await open("Host", "Maya Levin");
    const ann = await open("Participant", "Ann Lee");
    await host.join("Join as viewer");
    await ann.join("Join as viewer");
    await ann.toolbar().getByRole("button", { name: "Ask to join stage" }).click();
    await expect(host.notices().getByText("Ann Lee wants to join the stage")).toBeVisible();
    await expect(host.list("Wants to join the stage").getByRole("listitem")).toHaveCount(1);
    // The host's page does not hear of the decision in time.
    await host.page.evaluate(() => {
      const { room } = (globalThis as unknown as { dais: { room: { act(deed: string, id: number): Promise<void>; view: { queue: { requests: { participant: number }[] } } } } }).dais;
      const [request] = room.view.queue.requests;
      Object.assign(globalThis, { late: () => room.act("decline", request?.participant ?? 0).catch((error: Error) => error.message) });
    });
    const id = await ann.page.evaluate(() => (globalThis as unknown as { dais: { room: { view: { phase: { you: number } } } } }).dais.room.view.phase.you);
    await server.api("POST", `/v1/rooms/demo/participants/${id}/approve`);
    const late = await host.page.evaluate(() => (globalThis as unknown as { late(): Promise<string> }).late());
    expect(late).toBe("already decided by the organiser");
    await expect(ann.notices().getByText("You have been invited to join the stage")).toBeVisible();
  });
});

test.describe("invite only", () => {
  // law: join-invite, invite-any-mode, viewer-hand, access-menus, access-change
  test("a raised hand, an invitation declined, taken back, and accepted", async ({ open }) => {
    const host = await open("Host", "Maya Levin");
    const ann = await open("Participant", "Ann Lee");
    const ben = await open("Participant", "Ben Okoro");
    for (const person of [host, ann, ben]) await person.join("Join as viewer");
    // At the top of the participants list, in mid-session.
    await host.menu("Moderate everyone", "Invite only", "menuitemradio");
    await expect(ann.notices().getByText(/Invite only|invited/).first()).toBeVisible();
    await expect(ann.toolbar().getByRole("button", { name: /stage/ })).toHaveCount(0);

    await ann.toolbar().getByRole("button", { name: "Raise hand" }).click();
    const row = host.list("Viewers").getByRole("listitem").filter({ hasText: "Ann Lee" });
    await expect(row.getByText("raised a hand")).toBeVisible();
    await row.getByRole("button", { name: /Invite on stage/ }).click();
    await expect(host.notices().getByText(/invitation went to Ann Lee/)).toBeVisible();
    await ann.notices().getByRole("button", { name: "Decline invitation" }).click();
    await expect(host.notices().getByText(/Ann Lee declined/)).toBeVisible();

    await host.menu("More about Ben Okoro", "Invite on stage");
    await expect(ben.notices().getByText("You have been invited to join the stage")).toBeVisible();
    await expect(host.list("Viewers").getByRole("listitem").filter({ hasText: "Ben Okoro" })).toContainText("invited");
    await host.menu("More about Ben Okoro", "Withdraw invitation");
    await expect(ben.notices().getByText("You have been invited to join the stage")).toHaveCount(0);
    await expect(ben.notices().getByText(/took the invitation/)).toBeVisible();
    await expect(host.list("Viewers").getByRole("listitem").filter({ hasText: "Ben Okoro" })).not.toContainText("invited");

    await host.menu("More about Ben Okoro", "Invite on stage");
    await ben.notices().getByRole("button", { name: "Join stage" }).click();
    await ben.getReady();
    await expectLive(ann, 1, 1);
    await onceEach(host, ann, ben);
  });
});

test.describe("a full stage", () => {
  test.use({ args: ["--capacity", "1"] });

  // law: full-told, join-right-to-return, full-moderators
  test("the longest silent is removed, told why, and returns with one click", async ({ open }) => {
    const host = await open("Host", "Maya Levin");
    const ann = await open("Participant", "Ann Lee");
    const ben = await open("Participant", "Ben Okoro");
    await host.join("Join as viewer");
    await ann.join("Join stage");
    await expectLive(host, 1, 1);
    await ben.join("Join stage");
    await expect(ann.notices().getByText(/stage was full/)).toBeVisible();
    await expect(host.page.getByRole("heading", { name: "On stage · 1 of 1" })).toBeVisible();
    // The right holds where nobody else could come.
    await host.menu("Settings", "Invite only", "menuitemradio");
    await ann.toolbar().getByRole("button", { name: "Join stage" }).click();
    await ann.getReady();
    await expect(ben.notices().getByText(/stage was full/)).toBeVisible();
    await expect(host.tile("Ann Lee")).toBeVisible();
    await expectLive(host, 1, 1);
    await onceEach(host, ann, ben);
  });
});
