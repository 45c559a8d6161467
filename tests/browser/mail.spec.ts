/** Invitations by e-mail: from the host's window to the stage, through a real mail server. */

import { AxeBuilder } from "@axe-core/playwright";
import { Person, expect, expectLive, test as base } from "./dais";
import { linkIn, test } from "./mail";
import { picture } from "./pictures";
import { PORTRAITS } from "./portraits";

const row = (host: Person, address: string) => host.page.getByRole("list", { name: "Invited so far" }).getByRole("listitem").filter({ hasText: address });

async function openInvitations(host: Person): Promise<void> {
  await host.menu("Settings", "Role links…");
  await host.page.getByRole("button", { name: "Invite by e-mail" }).click();
}

// law: entry-ways
test("who is invited by e-mail comes on stage by the link in the mail, until it is withdrawn", async ({ browser, server, mails }) => {
  const host = await Person.open(browser, server.links.Host, "Maya Levin");
  await host.join("Join as viewer");
  await openInvitations(host);
  const dialog = host.page.getByRole("dialog", { name: "Role links" });
  await dialog.getByLabel("Addresses").fill("Sue Park <sue@example.org>\nben@example.org; refused@example.org");
  await dialog.getByLabel("Role").selectOption("speaker");
  const start = new Date(Date.now() + 86_400_000);
  await dialog.getByLabel("Begins").fill(`${start.getFullYear()}-${String(start.getMonth() + 1).padStart(2, "0")}-${String(start.getDate()).padStart(2, "0")}T18:30`);
  await dialog.getByLabel("Minutes").fill("90");
  await dialog.getByRole("button", { name: "Invite 3 people" }).click();
  await expect(dialog.getByText("3 people are invited.")).toBeVisible();
  await expect(row(host, "sue@example.org").getByText("Speaker · sent")).toBeVisible();
  await expect(row(host, "refused@example.org").getByText(/not sent: .*there is nobody of this name/)).toBeVisible();
  await host.page.screenshot(picture("invitations"));
  const { violations } = await new AxeBuilder({ page: host.page }).analyze();
  expect(violations.filter(({ impact }) => impact === "serious" || impact === "critical")).toEqual([]);

  const mail = await mails.mailTo("sue@example.org");
  expect(mail.headers["to"]).toBe("Sue Park <sue@example.org>");
  expect(mail.text).toContain("18:30");
  expect(mail.calendar).toContain("BEGIN:VEVENT");
  const sue = await Person.open(browser, linkIn(mail), "Sue Park", PORTRAITS.lin);
  await sue.join("Join stage");
  await expect(row(host, "sue@example.org").getByText("has come in")).toBeVisible();
  await host.page.keyboard.press("Escape");
  await expectLive(host, 1, 1);
  await openInvitations(host);

  const ben = await mails.mailTo("ben@example.org");
  await row(host, "ben@example.org").getByRole("button", { name: "Withdraw" }).click();
  await expect(row(host, "ben@example.org").getByText("withdrawn")).toBeVisible();
  await expect(row(host, "ben@example.org").getByRole("button")).toHaveCount(0);
  const late = await browser.newPage();
  await late.goto(linkIn(ben));
  await expect(late.getByRole("heading", { name: "This link was withdrawn" })).toBeVisible();
  await late.close();

  // The mail itself, as a mail program would show it.
  const reader = await browser.newPage({ viewport: { width: 640, height: 520 } });
  await reader.setContent(mail.html);
  await expect(reader.getByRole("link", { name: "Come in" })).toHaveAttribute("href", linkIn(mail));
  await reader.screenshot(picture("invitation-mail"));
  await reader.close();
  for (const person of [host, sue]) await person.close();
});

base("without a mail server there are links to copy, and what is no address is refused", async ({ open }) => {
  const host = await open("Host", "Maya Levin");
  await host.join("Join as viewer");
  await host.page.setViewportSize({ width: 360, height: 740 });
  await host.button("Close the list").click();
  await openInvitations(host);
  const dialog = host.page.getByRole("dialog", { name: "Role links" });
  await expect(dialog.getByText("This server sends no mail")).toBeVisible();
  await dialog.getByLabel("Addresses").fill("ann@example.org, ben@");
  await dialog.getByRole("button", { name: "Invite 2 people" }).click();
  await expect(host.page.getByText("“ben@” is not an e-mail address.")).toBeVisible();
  await expect(dialog.getByText("Nobody yet.")).toBeVisible();
  await expect(dialog.getByLabel("Addresses"), "what was typed is still there").toHaveValue("ann@example.org, ben@");
  await dialog.getByLabel("Addresses").fill("ann@example.org");
  await dialog.getByRole("button", { name: "Invite", exact: true }).click();
  await expect(row(host, "ann@example.org").getByText("for you to pass on")).toBeVisible();
  await host.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await dialog.getByRole("button", { name: "Copy the link of ann@example.org" }).click();
  await expect(dialog.getByText("Copied")).toBeVisible();
  expect(await host.page.evaluate(() => navigator.clipboard.readText())).toContain("/r/demo#token=");
  await host.page.screenshot(picture("invitations-phone"));
  const wide = await dialog.evaluate((element) => Math.max(element.scrollWidth, document.documentElement.scrollWidth));
  expect(wide, "nothing is wider than a phone").toBeLessThanOrEqual(360);
});
