/** What a moderator does to everyone at once. */

import { expect, test } from "./dais";

// law: moderate-all
test("a host mutes everyone else, stops their cameras and lowers all hands, with one entry of a menu each", async ({ open }) => {
  const host = await open("Host", "Maya Levin");
  const speaker = await open("Speaker", "Jonas Weber");
  const ann = await open("Participant", "Ann Lee");
  await host.join("Join stage");
  await speaker.join("Join stage");
  await ann.join("Join as viewer");
  await ann.button("Raise hand").click();
  await expect(host.list("Viewers").getByText("raised a hand")).toBeVisible();
  await host.menu("Moderate everyone", "Mute everyone else");
  await expect(speaker.page.getByText("Maya Levin muted your microphone.")).toBeVisible();
  await host.menu("Moderate everyone", "Stop all other cameras");
  await expect(speaker.page.getByText("Maya Levin stopped your camera.")).toBeVisible();
  await host.menu("Moderate everyone", "Lower all hands");
  await expect(ann.page.getByText("Maya Levin lowered your hand.")).toBeVisible();
  await expect(host.tile("Jonas Weber").getByText("Jonas Weber · muted")).toBeVisible();
  await expect(host.toolbar().getByRole("button", { name: "Turn microphone off" }), "their own goes on").toBeVisible();
  await host.menu("Moderate everyone", "Mute everyone else");
  await expect(host.notices().getByText("mic_unchanged")).toBeVisible();
});
