import { expect, expectLive, test } from "./dais";

test("people on stage are seen and heard, removed at once, and come back, with one negotiation each", async ({ server, open }) => {
  const host = await open("Host", "Maya Levin");
  const speaker = await open("Speaker", "Jonas Weber");
  const viewer = await open("Participant", "Kenji Tanaka");
  await host.join("Join stage");
  await speaker.join("Join stage");
  await viewer.join("Join as viewer");

  await expectLive(viewer, 2, 2);
  await expect(viewer.tile("Maya Levin").locator("video.seen")).toBeVisible();
  await expect(viewer.tile("Jonas Weber").locator("video.seen")).toBeVisible();
  await expect(viewer.list("On stage").getByRole("listitem")).toHaveCount(2);
  await expect(viewer.list("Viewers").getByText("Kenji Tanaka (you)")).toBeVisible();
  // A viewer sends nothing, and has nothing to moderate with.
  await expect(viewer.page.getByRole("button", { name: /More about/ })).toHaveCount(0);

  // Everything of the speaker stops at the server within 200 ms of the click.
  await speaker.page.evaluate(() => {
    // A page that does not obey: it goes on sending when it is told to stop.
    RTCRtpSender.prototype.replaceTrack = () => Promise.resolve();
  });
  await host.choose("Jonas Weber", "Remove from stage");
  await viewer.page.waitForTimeout(200);
  const stopped = await viewer.received();
  const gated = await server.metric("dais_media_dropped_total", "gate_closed");
  await viewer.page.waitForTimeout(1_000);
  const later = await viewer.received();
  const still = stopped.filter(({ mid, packets }) => later.find((slot) => slot.mid === mid)?.packets === packets);
  expect(still.map(({ kind }) => kind).sort(), "one picture and one voice get no packet any more").toEqual(["audio", "video"]);
  expect(await server.metric("dais_media_dropped_total", "gate_closed"), "though its page goes on sending").toBeGreaterThan(gated);

  await expect(speaker.page.getByText("Maya Levin removed you from the stage. You are a viewer now.")).toBeVisible();
  await expect(speaker.list("Viewers").getByText("Jonas Weber (you)")).toBeVisible();
  await expect(viewer.tile("Jonas Weber")).toHaveCount(0);

  // Coming back: the window, then live.
  await speaker.page.getByRole("button", { name: "Join stage" }).click();
  const ready = speaker.page.getByRole("dialog", { name: "Get ready to join the stage" });
  await expect(ready.getByText("Everyone in the room will see and hear you")).toBeVisible();
  await ready.getByRole("button", { name: "Join stage" }).click();
  await expectLive(viewer, 2, 2);
  await expectLive(host, 1, 1);

  // Everything browsers send is understood: several SSRCs report, each with an index of its own.
  expect(await server.metric("dais_media_dropped_total", "srtp_")).toBe(0);
  expect(await server.metric("dais_media_dropped_total", "malformed")).toBe(0);

  for (const person of [host, speaker, viewer]) {
    expect(await person.negotiations(), person.name).toEqual({ local: 1, remote: 1, errors: [] });
  }
});

test("a publisher is told how its packets arrive, and sends all layers", async ({ open }) => {
  const host = await open("Host", "Maya Levin");
  const viewer = await open("Participant", "Kenji Tanaka");
  await host.join("Join stage");
  await viewer.join("Join as viewer");
  await expectLive(viewer, 1, 1);
  // Without transport-wide feedback a browser stays at 300 kbit/s for ever.
  await expect.poll(() => host.uplink(), { timeout: 40_000 }).toMatchObject({ wide: true, layers: 3 });
  const { nacks } = await viewer.uplink();
  expect(nacks, "on loopback nothing is lost, and numbers have no gaps").toBe(0);
});

test("a viewer goes live with replaceTrack, mutes, and is muted by the host", async ({ open }) => {
  const host = await open("Host", "Maya Levin");
  const guest = await open("Participant", "Ama Owusu");
  await host.join("Join as viewer");
  await guest.join("Join as viewer");
  await expect(host.page.getByText("Nobody is on stage yet")).toBeVisible();

  await guest.page.getByRole("button", { name: "Join stage" }).click();
  await guest.page.getByRole("dialog").getByRole("button", { name: "Join stage" }).click();
  await expectLive(host, 1, 1);

  const toolbar = guest.page.getByRole("contentinfo");
  await toolbar.getByRole("button", { name: "Turn camera off" }).click();
  await expectLive(host, 0, 1);
  await expect(host.tile("Ama Owusu").locator("video")).toHaveCount(0);
  await toolbar.getByRole("button", { name: "Turn camera on" }).click();
  await expectLive(host, 1, 1);

  await host.choose("Ama Owusu", "Mute");
  await expect(guest.page.getByText("Maya Levin muted your microphone.")).toBeVisible();
  await expect(host.tile("Ama Owusu").getByText("Ama Owusu · muted")).toBeVisible();
  await expectLive(host, 1, 0);
  await guest.tile("Ama Owusu").getByRole("button", { name: "Turn microphone on" }).click();
  await expectLive(host, 1, 1);

  for (const person of [host, guest]) {
    expect(await person.negotiations(), person.name).toEqual({ local: 1, remote: 1, errors: [] });
  }
});
