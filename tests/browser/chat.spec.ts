/** The chat, as people use it. */

import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "./dais";
import type { Person } from "./dais";
import { picture } from "./pictures";

const log = (person: Person) => person.page.getByRole("log", { name: /^Chat with/ });
const field = (person: Person) => person.page.getByRole("textbox", { name: /Message to/ });

async function say(person: Person, text: string): Promise<void> {
  await field(person).fill(text);
  await field(person).press("Enter");
  await expect(field(person), "what was sent leaves the field").toHaveValue("");
}

async function grave(person: Person): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page: person.page }).analyze();
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

// law: chat-channels, chat-text, chat-history
test("people talk, unread messages are counted, nothing typed is HTML, and whoever comes later reads it", async ({ open }) => {
  const host = await open("Host", "Maya Levin");
  const ann = await open("Participant", "Ann Lee");
  await host.join("Join as viewer");
  await ann.join("Join as viewer");
  await ann.button("Chat").click();
  await expect(log(ann)).toBeVisible();
  await say(ann, "Hello! <img src=x onerror='document.title=`broken`'> javascript:alert(1)");
  await say(ann, "The slides: https://example.org/slides?a=1.");
  await expect(host.button("Chat, 2 unread")).toBeVisible();
  const readOut = host.page.getByRole("log", { name: "New in the chat" });
  await expect(readOut, "for screen readers, while the chat is closed").toContainText("Ann Lee: The slides: https://example.org");
  await host.button("Chat, 2 unread").click();
  await expect(log(host).getByText("<img src=x")).toBeVisible();
  await expect(host.button("Chat"), "read is read").toBeVisible();
  const link = log(host).getByRole("link");
  await expect(link).toHaveCount(1);
  await expect(link).toHaveAttribute("href", "https://example.org/slides?a=1");
  await expect(link).toHaveAttribute("rel", /noopener/);
  await expect(log(host).locator("img")).toHaveCount(0);
  expect(await host.page.title()).not.toBe("broken");

  // The back channel.
  await host.button("Moderators").click();
  await say(host, "Only we read this");
  await expect(log(host).getByText("Only we read this")).toBeVisible();
  await host.button("Everyone").click();
  await say(host, "Welcome, everyone");
  await expect(log(ann).getByText("Welcome, everyone")).toBeVisible();
  await expect(ann.page.getByText("Only we read this")).toHaveCount(0);

  const late = await open("Participant", "Ben Okoro");
  await late.join("Join as viewer");
  await late.button("Chat").click();
  await expect(log(late).getByRole("listitem")).toHaveCount(3);
  expect(await grave(host)).toEqual([]);
  expect(await grave(ann)).toEqual([]);
});

// law: chat-history
test("what was said before comes above what somebody reads, is not announced, and leaves the keyboard there", async ({ open }) => {
  for (const name of ["Ann Lee", "Ben Okoro", "Cleo Park"]) {
    const person = await open("Participant", name);
    await person.join("Join as viewer");
    await person.button("Chat").click();
    for (let n = 1; n <= 18; n++) await say(person, `${name} says ${n}`);
  }
  const late = await open("Participant", "Dan Late");
  await late.join("Join as viewer");
  await late.button("Chat").click();
  await expect(log(late).getByRole("listitem")).toHaveCount(50);
  await log(late).evaluate((list) => (list.scrollTop = 0));
  const reading = log(late).getByText("Ann Lee says 5", { exact: true });
  const before = await reading.boundingBox();
  // How the list announced what it was given last.
  await log(late).evaluate((list) => {
    const given = (changes: MutationRecord[]) => {
      if (changes.some(({ addedNodes }) => addedNodes.length > 0)) list.setAttribute("data-was", list.getAttribute("aria-live") ?? "");
    };
    new MutationObserver(given).observe(list, { childList: true, subtree: true });
  });
  const earlier = log(late).getByRole("button", { name: "Show earlier" });
  await earlier.focus();
  await late.page.keyboard.press("Enter");
  await expect(log(late).getByRole("listitem")).toHaveCount(54);
  await expect(log(late)).toHaveAttribute("data-was", "off");
  await expect(earlier, "that is all").toHaveCount(0);
  await expect(log(late)).toBeFocused();
  await expect(log(late)).toHaveAttribute("aria-live", "polite");
  const after = await reading.boundingBox();
  expect(Math.abs((after?.y ?? 0) - (before?.y ?? 1_000)), "it stands where it stood").toBeLessThan(60);
});

// law: chat-moderate, chat-block
test("a host pins, deletes, blocks and clears", async ({ open }) => {
  const host = await open("Host", "Maya Levin");
  const ann = await open("Participant", "Ann Lee");
  await host.join("Join as viewer");
  await ann.join("Join as viewer");
  for (const person of [host, ann]) await person.button("Chat").click();
  await say(host, "Questions please in the chat. The recording comes by mail tomorrow.");
  await say(ann, "Will the slides be there too?");
  await say(ann, "something rude");
  await expect(log(host).getByRole("listitem")).toHaveCount(3);
  await host.menu("More about the message of Maya Levin", "Pin on top");
  await expect(ann.page.getByRole("region", { name: "Pinned message" }).getByText("The recording comes")).toBeVisible();
  await log(host).getByRole("listitem").filter({ hasText: "rude" }).getByRole("button").click();
  await host.page.getByRole("menuitem", { name: "Delete message" }).click();
  await expect(log(ann).getByText("rude")).toHaveCount(0);
  await say(host, "Yes: https://example.org/slides");
  await expect(log(ann).getByRole("link")).toBeVisible();
  await host.page.screenshot(picture("chat"));
  await ann.page.setViewportSize({ width: 360, height: 740 });
  await expect(field(ann)).toBeInViewport();
  await ann.page.screenshot(picture("chat-phone"));
  const wide = await ann.page.evaluate(() => document.documentElement.scrollWidth);
  expect(wide, "nothing is wider than a phone").toBeLessThanOrEqual(360);

  await host.button("People").click();
  await host.menu("More about Ann Lee", "Block from chat");
  await expect(ann.page.getByText("A moderator has blocked you from the chat.")).toBeVisible();
  await expect(field(ann)).toHaveCount(0);
  await host.menu("More about Ann Lee", "Let chat again");
  await expect(field(ann)).toBeVisible();
  await host.button("Chat").click();
  await host.menu("More about the chat", "Clear the chat");
  await expect(log(ann).getByRole("listitem")).toHaveCount(0);
  await expect(ann.page.getByText("Nothing was said yet")).toBeVisible();
});
