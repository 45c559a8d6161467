/** A whole webinar, from the first link to the report. */

import { AxeBuilder } from "@axe-core/playwright";
import { Person, expect, expectLive } from "./dais";
import { linkIn, test } from "./mail";
import { picture } from "./pictures";
import { PORTRAITS } from "./portraits";

interface Summary {
  title: string;
  ended: string | null;
  most: number;
  people: { name: string; role: string; visits: unknown[]; stageSeconds: number }[];
  chat: { name: string; text: string }[];
  polls: { kind: string; title: string; quick: number | null; questions: { results: { answered: number; counts: number[] } }[]; ranking: { name: string; points: number }[]; answers: { name: string; question: number; choices: number[] }[] }[];
}

const region = (person: Person, name: "Poll" | "Quiz") => person.page.getByRole("region", { name, exact: true });
const answers = (person: Person, kind: "Poll" | "Quiz", option: string) => region(person, kind).getByRole("button", { name: option, exact: true }).click();
const goOn = (person: Person, kind: "Poll" | "Quiz", step: string) => region(person, kind).getByRole("button", { name: step }).click();

test.use({ settings: ["--preset", "webinar"] });

// law: viewer-takes-part, polls-quick, polls-quiz, moderate-all
test("a webinar: a speaker by mail, chat, reactions, hands, a guest on stage, a quick poll, a quiz, a screen, all muted, the end, and its report", async ({ browser, server, open, mails }) => {
  test.setTimeout(180_000);
  const host = await Person.open(browser, server.links.Host, "Maya Levin", PORTRAITS.maya);
  await host.join("Join stage");
  // The speaker comes by the link in a mail.
  await host.menu("Settings", "Role links…");
  await host.button("Invite by e-mail").click();
  await host.page.getByLabel("Addresses").fill("Jonas Weber <jonas@example.org>");
  await host.button("Invite").click();
  await expect(host.page.getByText("Speaker · sent")).toBeVisible();
  await host.page.keyboard.press("Escape");
  const jonas = await Person.open(browser, linkIn(await mails.mailTo("jonas@example.org")), "Jonas Weber", PORTRAITS.jonas);
  await jonas.join("Join stage");
  const ann = await open("Participant", "Ann Lee");
  const ben = await open("Participant", "Ben Okoro");
  await ann.join("Join as viewer");
  await ben.join("Join as viewer");
  await expectLive(ann, 2, 2);

  // Ann asks in the chat, Ben claps, both raise a hand, Ann is brought on stage.
  await ann.button("Chat").click();
  await ann.page.getByRole("textbox", { name: "Message to everyone" }).fill("Will there be a recording?");
  await ann.page.keyboard.press("Enter");
  await ben.button("React").click();
  await ben.button("Applause").click();
  await ben.button("Raise hand").click();
  await ann.button("Raise hand").click();
  const hands = host.list("Viewers").getByText("raised a hand");
  await expect(hands).toHaveCount(2);
  await host.list("Viewers").getByRole("button", { name: "More about Ann Lee" }).click();
  await host.page.getByRole("menuitem", { name: "Invite on stage" }).click();
  await ann.notices().getByRole("button", { name: "Join stage" }).click();
  await ann.getReady();
  await expect(host.tile("Ann Lee")).toBeVisible();
  await expectLive(ben, 3, 3);

  // A quick poll.
  await host.button("Polls").click();
  await host.page.getByRole("textbox", { name: "Question of the quick poll" }).fill("Is the sound good?");
  await host.button("Yes or no").click();
  await answers(ann, "Poll", "Yes");
  await answers(ben, "Poll", "No");
  await answers(ben, "Poll", "Yes");
  await expect(region(host, "Poll").getByText("2 answers")).toBeVisible();
  await goOn(host, "Poll", "Close the poll");
  await goOn(host, "Poll", "Show the results");
  await expect(region(ben, "Poll").getByText("2 · 100 %")).toBeVisible();

  // A quiz of three questions.
  await host.button("New quiz").click();
  const editor = host.page.getByRole("dialog", { name: "New quiz" });
  await editor.getByRole("textbox", { name: "Title of the quiz" }).fill("What was said");
  for (const [index, text] of ["Who moderates?", "How many cameras?", "What is measured?"].entries()) {
    if (index > 0) await editor.getByRole("button", { name: "Another question" }).click();
    const fields = editor.getByRole("group", { name: `Question ${index + 1}` });
    await fields.getByRole("textbox", { name: `Question ${index + 1}` }).fill(text);
    await fields.getByRole("textbox", { name: "Option 1" }).fill("The first");
    await fields.getByRole("textbox", { name: "Option 2" }).fill("The second");
    await fields.getByRole("radio", { name: "Option 2 is right" }).check();
  }
  await editor.getByRole("button", { name: "Save" }).click();
  await host.button("Start the quiz").click();
  for (const question of [1, 2, 3]) {
    await expect(region(ann, "Quiz").getByText(`Quiz · ${question} of 3`)).toBeVisible();
    await answers(ann, "Quiz", question === 3 ? "The first" : "The second");
    await answers(ben, "Quiz", "The second");
    await expect(region(host, "Quiz").getByText("2 answers")).toBeVisible();
    await goOn(host, "Quiz", "Close the question");
    await goOn(host, "Quiz", question === 3 ? "Show the results" : "Next question");
  }
  await expect(region(ben, "Quiz").getByText("You are number 1 of 2, with 300 points.")).toBeVisible();
  await expect(region(ann, "Quiz").getByText("You are number 2 of 2, with 200 points.")).toBeVisible();

  // The host presents.
  await host.button("Present your screen").click();
  await expect(ann.tile("Maya Levin presents").locator("video.seen")).toBeVisible();
  await host.toolbar().getByRole("button", { name: "Stop presenting" }).click();
  await expect(ann.tile("Maya Levin presents")).toHaveCount(0);

  // All are muted, and the session ends.
  await host.button("Polls").click();
  await host.button("People").click();
  await host.menu("Moderate everyone", "Mute everyone else");
  await expect(ann.notices().getByText("Maya Levin muted your microphone.")).toBeVisible();
  await expect(jonas.notices().getByText("Maya Levin muted your microphone.")).toBeVisible();
  await host.menu("Settings", "End the session for all");
  await host.page.getByRole("dialog").getByRole("button", { name: "End the session" }).click();
  for (const person of [host, ann, ben, jonas]) await expect(person.page.getByRole("heading", { name: "The session has ended" })).toBeVisible();

  // The report: on the page, for the host alone, and over HTTP.
  await expect(ann.button("Session report")).toHaveCount(0);
  await host.button("Session report").click();
  const report = host.page.getByRole("dialog", { name: "Session report" });
  await expect(report.getByRole("row")).toHaveCount(5);
  await expect(report.getByRole("row", { name: /Ann Lee/ })).toContainText("Participant");
  await expect(report.getByRole("heading", { name: "Quiz: What was said" })).toBeVisible();
  const { violations } = await new AxeBuilder({ page: host.page }).analyze();
  expect(violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id }) => id)).toEqual([]);
  await host.page.screenshot(picture("report"));
  const file = host.page.waitForEvent("download");
  await report.getByRole("button", { name: "Attendance (CSV)" }).click();
  expect((await file).suggestedFilename()).toBe("demo-attendance.csv");

  const summary = (await server.api("GET", "/v1/rooms/demo/summary")) as unknown as Summary;
  expect(summary.ended).not.toBeNull();
  expect(summary.most).toBe(4);
  expect(summary.people.map(({ name, role }) => [name, role])).toEqual([
    ["Maya Levin", "host"],
    ["Jonas Weber", "speaker"],
    ["Ann Lee", "participant"],
    ["Ben Okoro", "participant"],
  ]);
  expect(summary.people.map(({ stageSeconds }) => stageSeconds > 0)).toEqual([true, true, true, false]);
  expect(summary.chat.map(({ name, text }) => [name, text])).toEqual([["Ann Lee", "Will there be a recording?"]]);
  const [poll, quiz] = summary.polls;
  expect(poll?.questions[0]?.results).toEqual({ answered: 2, counts: [2, 0] });
  expect(poll?.answers, "a quick poll is anonymous").toEqual([]);
  expect(quiz?.ranking.map(({ name, points }) => [name, points])).toEqual([["Ben Okoro", 300], ["Ann Lee", 200]]);
  expect(quiz?.answers).toHaveLength(6);
  const other = await fetch(`${server.origin}/v1/rooms/demo/summary`, { headers: { authorization: `Bearer ${new URL(server.links.Participant).hash.slice("#token=".length)}` } });
  expect([other.status, ((await other.json()) as { code: string }).code]).toEqual([403, "hosts_only"]);
  await host.close();
  await jonas.close();
});
