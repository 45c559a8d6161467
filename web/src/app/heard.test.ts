import { expect, test } from "vitest";
import { heard } from "./heard";

test("one message is read out, of many the last, and never a whole page", () => {
  expect(heard([])).toBe("");
  expect(heard([{ name: "Ann", text: "Hello" }])).toBe("Chat, Ann: Hello");
  expect(heard([{ name: "Ann", text: "Hello" }, { name: "Ben", text: "Hi" }])).toBe("Chat, 2 messages, the last of Ben: Hi");
  expect(heard([{ name: "Ann", text: "a".repeat(2_000) }]).length).toBeLessThan(250);
});
