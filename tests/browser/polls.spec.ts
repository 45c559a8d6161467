/** Polls, quizzes, reactions and permissions, as people use them. */

import { AxeBuilder } from "@axe-core/playwright";
import { Person, expect, test } from "./dais";
import { picture } from "./pictures";
import { PORTRAITS } from "./portraits";

const card = (person: Person, kind: "Poll" | "Quiz" = "Poll") => person.page.getByRole("region", { name: kind, exact: true });
const panel = (person: Person) => person.page.getByRole("complementary", { name: "Polls" });

async function grave(person: Person): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page: person.page }).analyze();
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

// law: polls-steps, polls-answers, polls-results
test("a poll is drafted, opened, answered, answered differently, closed, and its results are shown", async ({ open }) => {
  const host = await open("Host", "Maya Levin");
  const ann = await open("Participant", "Ann Lee");
  const ben = await open("Participant", "Ben Okoro");
  await host.join("Join as viewer");
  await ann.join("Join as viewer");
  await ben.join("Join as viewer");
  await host.button("Polls").click();
  await host.button("New poll").click();
  const editor = host.page.getByRole("dialog", { name: "New poll" });
  await editor.getByRole("textbox", { name: "Question" }).fill("Which topic <b>next</b>?");
  await editor.getByRole("textbox", { name: "Option 1" }).fill("Simulcast");
  await editor.getByRole("textbox", { name: "Option 2" }).fill("Congestion control");
  await editor.getByRole("button", { name: "Option", exact: true }).click();
  await editor.getByRole("textbox", { name: "Option 3" }).fill("ICE");
  expect(await grave(host)).toEqual([]);
  await host.page.screenshot(picture("poll-editor"));
  await editor.getByRole("button", { name: "Save" }).click();
  await expect(panel(host).getByText("Poll · Draft")).toBeVisible();
  await ann.button("Polls").click();
  await expect(panel(ann).getByText("No polls yet"), "a draft is the moderators'").toBeVisible();

  await panel(host).getByRole("button", { name: "Open the poll" }).click();
  await expect(card(ann).getByRole("heading", { name: "Which topic <b>next</b>?" })).toBeVisible();
  await expect(card(ann).locator("b")).toHaveCount(0);
  await expect(ann.button("Polls, one waits for your answer")).toBeVisible();
  // By keyboard alone.
  await card(ann).getByRole("button", { name: "Simulcast" }).focus();
  await ann.page.keyboard.press("Enter");
  await expect(card(ann).getByText("Your answer counts.")).toBeVisible();
  await card(ben).getByRole("button", { name: "ICE" }).click();
  await expect(card(host).getByText("2 answers")).toBeVisible();
  await card(ann).getByRole("button", { name: "ICE" }).click();
  await expect(card(host).getByRole("listitem").filter({ hasText: "ICE" }).getByText("2 · 100 %")).toBeVisible();
  await expect(card(ann).getByText("answers"), "not yet").toHaveCount(0);
  expect(await grave(ann)).toEqual([]);
  expect(await grave(host)).toEqual([]);

  // What somebody answered is known after a reload too.
  await ann.page.reload();
  await expect(card(ann).getByRole("button", { name: "ICE" })).toHaveAttribute("aria-pressed", "true");
  await card(host).getByRole("button", { name: "Close the poll" }).click();
  await expect(card(ben).getByText("Closed. Your answer counts.")).toBeVisible();
  await card(host).getByRole("button", { name: "Show the results" }).click();
  await expect(card(ben).getByRole("listitem").filter({ hasText: "ICE" }).getByText("2 · 100 %")).toBeVisible();
  const late = await open("Participant", "Cleo Park");
  await late.join("Join as viewer");
  await late.button("Polls").click();
  await expect(panel(late).getByRole("listitem").filter({ hasText: "ICE" }).getByText("2 · 100 %").first()).toBeVisible();
});

// law: polls-quiz, polls-one-open
test("a quiz of two questions is led, closes by its time, and ranks everybody", async ({ browser, server, open }) => {
  const host = await Person.open(browser, server.links.Host, "Maya Levin", PORTRAITS.maya);
  const ann = await Person.open(browser, server.links.Participant, "Ann Lee", PORTRAITS.lin);
  const ben = await open("Participant", "Ben Okoro");
  await host.join("Join stage");
  await ann.join("Join stage");
  await ben.join("Join as viewer");
  await host.button("Polls").click();
  await host.button("New quiz").click();
  const editor = host.page.getByRole("dialog", { name: "New quiz" });
  await editor.getByRole("textbox", { name: "Title of the quiz" }).fill("Real-time media");
  await editor.getByRole("textbox", { name: "Question 1" }).fill("Which header extension carries audio levels?");
  await editor.getByRole("textbox", { name: "Option 1" }).fill("RFC 6464");
  await editor.getByRole("textbox", { name: "Option 2" }).fill("RFC 8285");
  await editor.getByRole("radio", { name: "Option 1 is right" }).check();
  await editor.getByRole("button", { name: "Another question" }).click();
  const second = editor.getByRole("group", { name: "Question 2" });
  await second.getByRole("textbox", { name: "Question 2" }).fill("How many cameras are shown?");
  await second.getByRole("textbox", { name: "Option 1" }).fill("25");
  await second.getByRole("textbox", { name: "Option 2" }).fill("100");
  await expect(editor.getByRole("button", { name: "Save" }), "no right answer yet").toBeDisabled();
  await second.getByRole("radio", { name: "Option 1 is right" }).check();
  await second.getByRole("combobox").selectOption("10");
  await editor.getByRole("button", { name: "Save" }).click();
  await panel(host).getByRole("button", { name: "Start the quiz" }).click();
  await expect(card(ann, "Quiz").getByText("How many cameras"), "nobody sees it before its time").toHaveCount(0);
  await expect(panel(host).getByRole("button", { name: "Yes or no" }), "one question at a time").toBeDisabled();
  await card(ann, "Quiz").getByRole("button", { name: "RFC 6464" }).click();
  await card(ben, "Quiz").getByRole("button", { name: "RFC 8285" }).click();
  await expect(card(host, "Quiz").getByText("2 answers")).toBeVisible();
  await ben.page.setViewportSize({ width: 360, height: 740 });
  await ben.button("Close the list").click();
  await ben.page.screenshot(picture("quiz-phone"));
  await host.page.screenshot(picture("quiz"));
  await card(host, "Quiz").getByRole("button", { name: "Close the question" }).click();
  await card(host, "Quiz").getByRole("button", { name: "Next question" }).click();
  await card(ann, "Quiz").getByRole("button", { name: "25" }).click();
  await expect(card(host, "Quiz").getByRole("button", { name: "Show the results" }), "its time was over").toBeVisible({ timeout: 15_000 });
  await card(host, "Quiz").getByRole("button", { name: "Show the results" }).click();
  await expect(card(ann, "Quiz").getByText("You are number 1 of 2, with 200 points.")).toBeVisible();
  await expect(card(ben, "Quiz").getByText("You are number 2 of 2, with 0 points.")).toBeVisible();
  await expect(card(ben, "Quiz").getByRole("list", { name: "Ranking" }).getByRole("listitem").first()).toContainText("Ann Lee");
  await host.page.screenshot(picture("quiz-results"));
  expect(await grave(ann)).toEqual([]);
  await ann.close();
  await host.close();
});

// law: polls-quick, permissions-table, permissions-hosts, permissions-hands, reactions
test("a host decides who may: reactions, hands, quick polls", async ({ open, server }) => {
  const host = await open("Host", "Maya Levin");
  const ann = await open("Participant", "Ann Lee");
  await host.join("Join stage");
  await ann.join("Join as viewer");
  // Reactions float over everybody's stage.
  await ann.button("React").click();
  await expect(ann.page.getByRole("group", { name: "Reactions" })).toBeVisible();
  await host.page.evaluate(() => {
    const seen: string[] = [];
    Object.assign(globalThis, { seen });
    new MutationObserver((changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach((node) => seen.push(node.textContent ?? "")))).observe(document.querySelector(".floats")!, { childList: true });
  });
  await ann.button("Applause").click();
  await expect.poll(() => host.page.evaluate(() => (globalThis as unknown as { seen: string[] }).seen)).toEqual(["👏"]);
  await expect(host.page.locator(".float"), "and are gone").toHaveCount(0, { timeout: 10_000 });
  expect(await server.metric("dais_reactions_total")).toBe(1);
  await ann.page.keyboard.press("Escape");
  await expect(ann.page.getByRole("group", { name: "Reactions" })).toHaveCount(0);

  await ann.button("Raise hand").click();
  await expect(ann.button("Lower hand")).toBeVisible();
  await host.menu("Settings", "Permissions…");
  const table = host.page.getByRole("dialog", { name: "Permissions" });
  await table.getByLabel("Raise a hand").selectOption("nobody");
  await expect(ann.notices().getByText("Nobody can raise a hand now (Maya Levin changed this).")).toBeVisible();
  await expect(ann.button("Raise hand")).toHaveCount(0);
  await table.getByLabel("Send reactions").selectOption("speakers");
  await expect(ann.button("React")).toHaveCount(0);
  await table.getByLabel("Write in the chat").selectOption("moderators");
  await ann.button("Chat").click();
  await expect(ann.page.getByText("The chat is closed for you: read only.")).toBeVisible();
  await table.getByLabel("Start a quick poll").selectOption("everyone");
  expect(await grave(host)).toEqual([]);
  await host.page.screenshot(picture("permissions"));
  await table.getByRole("button", { name: "Done" }).click();

  await ann.button("Polls").click();
  await panel(ann).getByRole("textbox", { name: "Question of the quick poll" }).fill("Can you hear me?");
  await panel(ann).getByRole("button", { name: "Yes or no" }).click();
  await card(host).getByRole("button", { name: "Yes" }).click();
  await expect(card(host).getByText("1 answer", { exact: true })).toBeVisible();
  await card(ann).getByRole("button", { name: "Close the poll" }).click();
  await card(ann).getByRole("button", { name: "Show the results" }).click();
  await expect(card(ann).getByRole("listitem").filter({ hasText: "Yes" }).getByText("1 · 100 %")).toBeVisible();
});

test.describe("without motion", () => {
  // law: reactions
  test("reactions are told as a sum that stands still", async ({ browser, server }) => {
    const ann = await Person.open(browser, server.links.Participant, "Ann Lee", undefined, { reducedMotion: "reduce" });
    await ann.join("Join as viewer");
    await ann.button("React").click();
    await ann.button("Love").click();
    await expect(ann.page.locator(".air .sum")).toHaveText("❤️ 1");
    await expect(ann.page.locator(".float")).toHaveCount(0);
    await ann.close();
  });
});
