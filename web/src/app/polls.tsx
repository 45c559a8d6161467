/** The panel of polls: those who moderate make and lead them, everybody finds the results. */

import { useState } from "preact/hooks";
import { answerTo, openPoll } from "../sdk";
import type { QuickPoll, ShownPoll } from "../sdk";
import { CloseIcon, PlusIcon } from "./icons";
import { Menu } from "./menu";
import { card, leads, nextStep, openCard, titleOf } from "./poll-state";
import { Results } from "./poll-results";
import { attempt, dialog, may, moderating, side, view } from "./state";

const STEPS: Record<ShownPoll["step"], string> = { draft: "Draft", open: "Open", closed: "Closed", published: "Results shown" };

/** A question asked aloud needs no text. */
function Quick() {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  if (!may.value("quickPoll")) return null;
  const start = async (kind: QuickPoll) => {
    setBusy(true);
    if (await attempt((room) => room.activities.quickPoll(kind, text))) setText("");
    setBusy(false);
  };
  const taken = busy || openPoll(view.value.polls) !== null;
  return (
    <section class="quick" aria-label="Quick poll">
      <h3>Quick poll</h3>
      <input type="text" maxLength={300} aria-label="Question of the quick poll" placeholder="Question, or ask it aloud" value={text} onInput={(event) => setText(event.currentTarget.value)} />
      <div class="pair">
        <button type="button" disabled={taken} onClick={() => void start("yes_no")}>Yes or no</button>
        <button type="button" disabled={taken} onClick={() => void start("one_to_five")}>1 to 5</button>
      </div>
    </section>
  );
}

function Item({ poll }: { poll: ShownPoll }) {
  const [busy, setBusy] = useState(false);
  const leading = leads(poll);
  const next = leading ? nextStep(poll) : null;
  const name = titleOf(poll);
  const go = async () => {
    setBusy(true);
    await attempt((room) => room.activities.advancePoll(poll));
    setBusy(false);
  };
  const remove = () => void attempt((room) => room.activities.deletePoll(poll.poll));
  const of = poll.kind === "quiz" ? ` · ${poll.count} ${poll.count === 1 ? "question" : "questions"}` : "";
  return (
    <li class="poll">
      <header>
        <div>
          <strong>{name}</strong>
          <small>{poll.kind === "quiz" ? "Quiz" : "Poll"}{of} · {STEPS[poll.step]}{poll.step === "open" && poll.kind === "quiz" && ` at ${poll.question + 1}`}</small>
        </div>
        {leading && <Menu label={`More about ${name}`} entries={[{ kind: "item", label: "Delete", grave: true, run: remove }]} />}
      </header>
      {poll.step !== "draft" &&
        poll.questions.map((question) => (
          <div key={question.index}>
            {poll.kind === "quiz" && <p class="asked">{question.index + 1}. {question.text}</p>}
            <Results question={question} own={answerTo(view.value.polls, poll.poll, question.index)} />
          </div>
        ))}
      <div class="pair">
        {poll.step !== "draft" && card.value?.poll !== poll.poll && <button type="button" onClick={() => openCard(poll.poll)}>Show</button>}
        {next !== null && <button type="button" class={poll.step === "draft" ? "" : "primary"} disabled={busy} onClick={() => void go()}>{next}</button>}
      </div>
    </li>
  );
}

export function Polls() {
  const polls = [...view.value.polls.polls].reverse();
  return (
    <aside class="side" id="polls" aria-label="Polls" hidden={side.value !== "polls"}>
      <header>
        <h2>Polls</h2>
        <button type="button" class="round" aria-label="Close the polls" onClick={() => (side.value = null)}><CloseIcon /></button>
      </header>
      <div class="scroll" tabIndex={-1}>
        {moderating.value && (
          <div class="pair make">
            <button type="button" onClick={() => (dialog.value = { kind: "poll" })}><PlusIcon />New poll</button>
            <button type="button" onClick={() => (dialog.value = { kind: "quiz" })}><PlusIcon />New quiz</button>
          </div>
        )}
        <Quick />
        <ul class="poll-list" aria-label="Polls of this session">
          {polls.map((poll) => <Item key={poll.poll} poll={poll} />)}
        </ul>
        {polls.length === 0 && <p class="none">No polls yet</p>}
      </div>
    </aside>
  );
}
