import { Person, expect, expectLive, test } from "./dais";
import { picture } from "./pictures";
import { PORTRAITS } from "./portraits";

test.describe("a webinar", () => {
  test.use({ args: ["--preset", "webinar"] });

  test("pictures of a moderator's queue, and of an invitation", async ({ browser, server }) => {
    const maya = await Person.open(browser, server.links.Host, "Maya Levin", PORTRAITS.maya);
    await maya.join("Join stage");
    const people = [];
    for (const name of ["Sara Nilsson", "David Mensah", "Kenji Tanaka", "Olivia Fox"]) {
      const person = await Person.open(browser, server.links.Participant, name);
      await person.join("Join as viewer");
      people.push(person);
    }
    const [sara, david, kenji] = people;
    await sara?.toolbar().getByRole("button", { name: "Ask to join stage" }).click();
    await david?.toolbar().getByRole("button", { name: "Ask to join stage" }).click();
    await kenji?.toolbar().getByRole("button", { name: "Raise hand" }).click();
    await expect(maya.list("Wants to join the stage").getByRole("listitem")).toHaveCount(2);
    await expect(maya.page.locator(".tile video.seen")).toHaveCount(1);
    await maya.page.screenshot(picture("queue"));
    await maya.button("Settings").click();
    await maya.page.screenshot(picture("settings"));
    await maya.page.keyboard.press("Escape");
    await maya.menu("Settings", "Role links…");
    await maya.page.getByRole("button", { name: "Make a link" }).click();
    await expect(maya.page.getByRole("button", { name: /Withdraw/ })).toBeVisible();
    await maya.page.screenshot(picture("links"));
    await maya.page.keyboard.press("Escape");
    await maya.list("Wants to join the stage").getByRole("button", { name: /Bring to stage/ }).first().click();
    await expect(sara?.notices().getByText("You have been invited to join the stage") ?? maya.notices()).toBeVisible();
    await sara?.page.setViewportSize({ width: 390, height: 780 });
    await sara?.button("Close the list").click();
    await sara?.page.screenshot(picture("invited-phone"));
    for (const person of [maya, ...people]) await person.close();
  });
});

test("pictures of the room with three people on stage", async ({ browser, server }) => {
  const enter = async (role: keyof typeof server.links, name: string, script: string) => Person.open(browser, server.links[role], name, script);
  const maya = await enter("Host", "Maya Levin", PORTRAITS.maya);
  await maya.page.getByLabel("Your name").fill("Maya Levin");
  await expect(maya.page.locator(".preview video.seen")).toBeVisible();
  await maya.page.screenshot(picture("entry"));
  await maya.join("Join stage");
  const jonas = await enter("Speaker", "Jonas Weber", PORTRAITS.jonas);
  await jonas.join("Join stage");
  const lin = await enter("Participant", "Lin Zhao", PORTRAITS.lin);
  await lin.join("Join stage");
  const viewers = [];
  for (const name of ["Kenji Tanaka", "Olivia Fox"]) {
    const viewer = await enter("Participant", name, "");
    await viewer.join("Join as viewer");
    viewers.push(viewer);
  }
  await lin.page.getByRole("contentinfo").getByRole("button", { name: "Turn microphone off" }).click();
  await expectLive(maya, 2, 1);
  await expect(maya.page.locator(".tile video.seen")).toHaveCount(3);
  // Jonas speaks, by the audio levels in his browser's packets.
  await expect(maya.tile("Jonas Weber").getByText("Jonas Weber · speaking")).toBeVisible();
  await expect(maya.tile("Lin Zhao").getByText("Lin Zhao · muted")).toBeVisible();
  await maya.page.screenshot(picture("room"));
  await maya.tile("Jonas Weber").hover();
  await maya.tile("Jonas Weber").getByRole("button", { name: "More about Jonas Weber" }).click();
  await maya.page.screenshot(picture("room-menu"));
  await maya.page.keyboard.press("Escape");

  const [kenji] = viewers;
  if (kenji === undefined) throw new Error("there are viewers");
  await kenji.page.setViewportSize({ width: 390, height: 780 });
  await maya.choose("Jonas Weber", "Remove from stage");
  await expect(jonas.page.getByText("removed you from the stage")).toBeVisible();
  await jonas.page.screenshot(picture("removed"));
  await kenji.page.getByRole("button", { name: "Close the list" }).click();
  await kenji.page.screenshot(picture("room-phone"));
  await jonas.page.getByRole("button", { name: "Join stage" }).click();
  await jonas.page.screenshot(picture("get-ready"));
  for (const person of [maya, jonas, lin, ...viewers]) await person.close();
});
