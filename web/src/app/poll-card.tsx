/** The poll before the stage: the question to answer, and its results. */

import { useState } from "preact/hooks";
import { answerTo } from "../sdk";
import type { PollQuestion, ShownPoll } from "../sdk";
import { CloseIcon } from "./icons";
import { card, closeCard, leads, nextStep } from "./poll-state";
import { Ranking, Results } from "./poll-results";
import { attempt, may, now, view } from "./state";

/** How long is left, rounded up: what says 1 s is open. */
function Left({ closes }: { closes: number }) {
  const seconds = Math.max(0, Math.ceil((closes - now.value) / 1_000));
  return <span class="left" role="timer" aria-label={`${seconds} seconds left`}>{seconds} s</span>;
}

function Answer({ poll, question }: { poll: ShownPoll; question: PollQuestion }) {
  const own = answerTo(view.value.polls, poll.poll, question.index);
  const [chosen, setChosen] = useState<readonly number[]>(own);
  const [busy, setBusy] = useState(false);
  const send = async (choices: readonly number[]) => {
    setBusy(true);
    await attempt((room) => room.activities.answerPoll(poll.poll, question.index, [...choices]));
    setBusy(false);
  };
  const choose = (index: number) => {
    if (!question.multiple) return own.includes(index) ? undefined : void send([index]);
    setChosen(chosen.includes(index) ? chosen.filter((other) => other !== index) : [...chosen, index]);
    return undefined;
  };
  const shown = question.multiple ? chosen : own;
  const unsent = question.multiple && (chosen.length !== own.length || chosen.some((index) => !own.includes(index)));
  return (
    <>
      <div class="options" role="group" aria-label={question.multiple ? "Choose any" : "Choose one"}>
        {question.options.map((option, index) => (
          <button key={index} type="button" aria-pressed={shown.includes(index)} disabled={busy} onClick={() => choose(index)}>
            {option}
          </button>
        ))}
      </div>
      <p class="state" role="status">
        {own.length > 0 && !unsent ? "Your answer counts. You can change it until the question is closed." : question.multiple ? "Choose any, then answer." : "Choose one."}
      </p>
      {question.multiple && (
        <button type="button" class="primary" disabled={busy || chosen.length === 0 || !unsent} onClick={() => void send(chosen)}>Answer</button>
      )}
    </>
  );
}

/** How this person did in a quiz. */
function OwnPlace({ poll }: { poll: number }) {
  const score = view.value.polls.scores.find((one) => one.poll === poll);
  if (score === undefined) return null;
  return <p class="state" role="status">You are number {score.rank} of {score.of}, with {score.points} {score.points === 1 ? "point" : "points"}.</p>;
}

function Question({ poll, question }: { poll: ShownPoll; question: PollQuestion }) {
  const own = answerTo(view.value.polls, poll.poll, question.index);
  const answerable = poll.step === "open" && may.value("answerPolls");
  return (
    <div class="question">
      <h3>{question.text !== "" ? question.text : "Your answer?"}</h3>
      {answerable && <Answer key={`${poll.poll}-${question.index}`} poll={poll} question={question} />}
      {poll.step === "closed" && question.results === null && <p class="state" role="status">{own.length > 0 ? "Closed. Your answer counts." : "Closed."} The results come later.</p>}
      {question.results !== null && (
        <>
          <p class="answered">{question.results.answered} {question.results.answered === 1 ? "answer" : "answers"}</p>
          <Results question={question} own={own} />
        </>
      )}
    </div>
  );
}

export function PollCard() {
  const poll = card.value;
  const [busy, setBusy] = useState(false);
  if (poll === null) return <div class="poll-card empty-card" role="region" aria-label="Poll" aria-live="polite" />;
  const published = poll.step === "published";
  const asked = published ? poll.questions : poll.questions.filter(({ index }) => index === poll.question);
  const next = leads(poll) ? nextStep(poll) : null;
  const go = async () => {
    setBusy(true);
    await attempt((room) => room.activities.advancePoll(poll));
    setBusy(false);
  };
  const kind = poll.kind === "quiz" ? "Quiz" : "Poll";
  return (
    <div class="poll-card" role="region" aria-label={kind} aria-live="polite">
      <header>
        <span class="pill">{kind}{poll.kind === "quiz" && !published && ` · ${poll.question + 1} of ${poll.count}`}</span>
        {poll.anonymous && <span class="pill">Anonymous</span>}
        <span class="grow" />
        {poll.step === "open" && poll.closes !== null && <Left closes={poll.closes} />}
        <button type="button" class="round" aria-label={`Hide the ${kind.toLowerCase()}`} title="Hide" onClick={closeCard}><CloseIcon /></button>
      </header>
      <div class="body">
        {poll.title !== "" && <h2>{poll.title}</h2>}
        {published && poll.kind === "quiz" && (
          <>
            <OwnPlace poll={poll.poll} />
            <Ranking ranking={poll.ranking} />
          </>
        )}
        {asked.map((question) => <Question key={question.index} poll={poll} question={question} />)}
      </div>
      {next !== null && (
        <footer>
          <button type="button" class="primary" disabled={busy} onClick={() => void go()}>{next}</button>
        </footer>
      )}
    </div>
  );
}
