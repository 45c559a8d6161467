import { Person, Server, expect, test } from "./dais";

test("links that do not work say why, and what to do", async ({ server, page }) => {
  await page.goto(server.origin);
  await expect(page.getByText("Open the link of your invitation")).toBeVisible();
  await page.goto(`${server.origin}/r/demo#token=nonsense`);
  await expect(page.getByRole("heading", { name: "This link does not work" })).toBeVisible();
  await expect(page.getByText("token_invalid")).toBeVisible();
  // A good link pasted into the same window works at once.
  await page.goto(server.links.Participant);
  await expect(page.getByRole("heading", { name: "Set devices" })).toBeVisible();
  await expect(page).toHaveTitle("Demo");
  // The token of one room opens no other.
  await page.goto(server.links.Host.replace("/r/demo", "/r/other"));
  await expect(page.getByText("token_invalid")).toBeVisible();
});

test("without devices a person is told, and can watch", async ({ browser, server }) => {
  const script = `navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotAllowedError"));`;
  const person = await Person.open(browser, server.links.Participant, "Rui Costa", script);
  await expect(person.page.getByRole("alert").getByText("is blocked. Allow it in the address bar")).toBeVisible();
  await person.join("Join as viewer");
  await expect(person.list("Viewers").getByText("Rui Costa (you)")).toBeVisible();
  await person.close();
});

test("the whole way in and out goes by keyboard", async ({ browser, server }) => {
  const person = await Person.open(browser, server.links.Participant, "Priya Kumar");
  const { page } = person;
  await expect(page.getByRole("button", { name: "Turn camera off" })).toBeEnabled();
  const tabTo = async (name: string) => {
    for (let n = 0; n < 30; n += 1) {
      const focused = await page.evaluate(() => {
        const element = document.activeElement;
        return element?.getAttribute("aria-label") ?? element?.textContent ?? "";
      });
      if (focused === name) return;
      await page.keyboard.press("Tab");
    }
    throw new Error(`${name} cannot be reached with the keyboard`);
  };
  await page.getByLabel("Your name").focus();
  await page.keyboard.type("Priya Kumar");
  await tabTo("Join as viewer");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("main", { name: "Stage" })).toBeVisible();
  await tabTo("Join stage");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await tabTo("Leave the room");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "You have left the room" })).toBeVisible();
  await person.close();
});

test("nothing is cut off from 360 pixels up", async ({ browser, server }) => {
  const person = await Person.open(browser, server.links.Host, "Elif Bulut");
  const { page } = person;
  const fits = async (where: string) => {
    for (const width of [360, 390, 720, 1024, 1360]) {
      await page.setViewportSize({ width, height: 780 });
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(over, `${where} at ${width} px`).toBeLessThanOrEqual(0);
    }
  };
  await fits("the entry");
  await person.join("Join stage");
  await fits("the room");
  await page.setViewportSize({ width: 360, height: 780 });
  const leave = page.getByRole("button", { name: "Leave the room" });
  const box = await leave.boundingBox();
  expect(box !== null && box.x + box.width <= 360 && box.y + box.height <= 780, "the toolbar is on the screen").toBe(true);
  await person.close();
});

test("when the server stops, people are told, and the page keeps trying", async ({ browser }) => {
  const server = await Server.start();
  const person = await Person.open(browser, server.links.Participant, "Tom Hale");
  await person.join("Join as viewer");
  expect(await server.stop()).toBe(0);
  await expect(person.page.getByRole("status", { name: "Connection" }).getByText("Connection lost. Reconnecting…")).toBeVisible();
  await person.close();
});
