/** Every screen under axe, notices for screen readers, and the moderator's work by keyboard alone. */

import { AxeBuilder } from "@axe-core/playwright";
import { Person, expect, test } from "./dais";

async function clean(person: Person, where: string): Promise<void> {
  // Colours that are still fading in are no colours to judge.
  await person.page.waitForTimeout(300);
  const { violations } = await new AxeBuilder({ page: person.page }).analyze();
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`), where).toEqual([]);
}

test.describe("a webinar", () => {
  test.use({ args: ["--preset", "webinar"] });

  test("axe finds nothing serious on any screen", async ({ browser, server, open }) => {
    const host = await open("Host", "Maya Levin");
    const ann = await open("Participant", "Ann Lee");
    await clean(host, "entry");
    await host.join("Join stage");
    await clean(ann, "entry of a panel");
    await ann.join("Join as viewer");
    await clean(ann, "room as a viewer");
    await ann.toolbar().getByRole("button", { name: "Raise hand" }).click();
    await ann.toolbar().getByRole("button", { name: "Ask to join stage" }).click();
    await expect(host.list("Wants to join the stage").getByRole("listitem")).toHaveCount(1);
    await clean(host, "room as a moderator, with a request");
    await host.button("Settings").click();
    await clean(host, "settings menu");
    await host.page.keyboard.press("Escape");
    await host.button("More about Ann Lee").first().click();
    await clean(host, "menu of a person");
    await host.page.keyboard.press("Escape");
    await host.menu("Settings", "Statistics");
    await expect(host.page.getByRole("dialog").getByRole("table")).toBeVisible();
    await clean(host, "Statistics");
    await host.page.keyboard.press("Escape");
    for (const dialog of ["Role links…", "Stage size…", "End the session for all"]) {
      await host.menu("Settings", dialog);
      await expect(host.page.getByRole("dialog")).toBeVisible();
      await clean(host, dialog);
      await host.page.keyboard.press("Escape");
      await expect(host.page.getByRole("dialog")).toHaveCount(0);
    }
    await host.list("Wants to join the stage").getByRole("button", { name: /Bring to stage/ }).click();
    await expect(ann.notices().getByText("You have been invited to join the stage")).toBeVisible();
    await clean(ann, "invitation");
    await ann.notices().getByRole("button", { name: "Join stage" }).click();
    await clean(ann, "Get ready to join the stage");
    await ann.page.keyboard.press("Escape");
    await ann.page.setViewportSize({ width: 390, height: 780 });
    await clean(ann, "phone-sized");
    await ann.button("Close the list").click();
    await clean(ann, "phone-sized stage");
    await ann.button("Leave the room").click();
    await clean(ann, "last screen");
    const stranger = await browser.newContext();
    const page = await stranger.newPage();
    await page.goto(`${server.origin}/r/demo#token=nonsense`);
    await expect(page.getByText("token_invalid")).toBeVisible();
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.filter(({ impact }) => impact === "serious" || impact === "critical")).toEqual([]);
    await stranger.close();
  });

  // law: told-moderators, told-participants
  test("a moderator brings somebody to the stage by keyboard, and notices are announced", async ({ open }) => {
    const host = await open("Host", "Maya Levin");
    const ann = await open("Participant", "Ann Lee");
    await host.join("Join as viewer");
    await ann.join("Join as viewer");
    await expect(host.notices(), "the region is there before its content").toHaveAttribute("aria-live", "polite");
    const keys = async (person: Person, name: RegExp) => {
      for (let n = 0; n < 60; n += 1) {
        const focused = await person.page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "");
        if (name.test(focused)) return person.page.keyboard.press("Enter");
        await person.page.keyboard.press("Tab");
      }
      throw new Error(`${name} cannot be reached with the keyboard`);
    };
    await keys(ann, /^Ask to join stage$/);
    await expect(host.notices().getByText("Ann Lee wants to join the stage")).toBeVisible();
    await keys(host, /^Bring to stage/);
    await expect(ann.notices().getByText("You have been invited to join the stage")).toBeVisible();
    await keys(ann, /^Join stage$/);
    await expect(ann.page.getByRole("dialog", { name: "Get ready to join the stage" })).toBeVisible();
    await expect(ann.page.getByRole("dialog").getByRole("button", { name: "Join stage" })).toBeEnabled();
    await keys(ann, /^Join stage$/);
    await expect(ann.list("On stage").getByText("Ann Lee (you)")).toBeVisible();
    // A menu: opened, walked and chosen from by keyboard; focus returns to its button.
    await host.button("More about Ann Lee").last().focus();
    await host.page.keyboard.press("Enter");
    await host.page.keyboard.press("ArrowDown");
    await host.page.keyboard.press("Escape");
    expect(await host.page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe("More about Ann Lee");
    await host.page.keyboard.press("Enter");
    await host.page.getByRole("menuitem", { name: "Remove from stage" }).press("Enter");
    await expect(ann.notices().getByText("Maya Levin removed you from the stage. You are a viewer now.")).toBeVisible();
  });
});
