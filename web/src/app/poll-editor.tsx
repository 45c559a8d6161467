/** Where a poll or quiz is made. */

import { useState } from "preact/hooks";
import type { NewPoll, NewQuestion } from "../sdk";
import { CloseIcon, PlusIcon } from "./icons";
import { attempt } from "./state";
import { Dialog } from "./ui";

/** The server's limits: options and questions, and characters of each text. */
const [OPTIONS_MIN, OPTIONS_MAX, QUESTIONS_MAX, TEXT_MAX, OPTION_MAX] = [2, 10, 50, 300, 100];
/** What is offered as the time of a question, seconds; 0 is none. */
const TIMES = [0, 10, 20, 30, 60, 120, 300];
/** Points of a question of a quiz, at first. */
const POINTS = 100;

const blank = (kind: NewPoll["kind"]): NewQuestion => ({
  text: "",
  options: ["", ""],
  multiple: false,
  right: [],
  seconds: kind === "quiz" ? 30 : 0,
  points: kind === "quiz" ? POINTS : 0,
});

/** Whether the server would take the question. */
const isWhole = ({ text, options, right }: NewQuestion, kind: NewPoll["kind"]): boolean =>
  text.trim() !== "" && options.every((option) => option.trim() !== "") && new Set(options.map((option) => option.trim())).size === options.length && (kind === "poll" || right.length > 0);

interface QuestionFieldsProps {
  kind: NewPoll["kind"];
  number: number;
  question: NewQuestion;
  onChange(question: NewQuestion): void;
  onRemove: (() => void) | null;
}

function QuestionFields({ kind, number, question, onChange, onRemove }: QuestionFieldsProps) {
  const { text, options, multiple, right, seconds } = question;
  const change = (part: Partial<NewQuestion>) => onChange({ ...question, ...part });
  const setOption = (index: number, option: string) => change({ options: options.map((old, at) => (at === index ? option : old)) });
  const dropOption = (index: number) =>
    change({ options: options.filter((_, at) => at !== index), right: right.filter((at) => at !== index).map((at) => (at > index ? at - 1 : at)) });
  const mark = (index: number) => {
    if (!multiple) return change({ right: [index] });
    return change({ right: right.includes(index) ? right.filter((at) => at !== index) : [...right, index] });
  };
  const setMultiple = (on: boolean) => change({ multiple: on, right: on ? right : right.slice(0, 1) });
  const name = kind === "quiz" ? `Question ${number}` : "Question";
  return (
    <fieldset class="question-fields">
      <legend>{name}</legend>
      {onRemove !== null && <button type="button" class="round corner" aria-label={`Remove question ${number}`} onClick={onRemove}><CloseIcon /></button>}
      <input type="text" maxLength={TEXT_MAX} aria-label={name} placeholder="What do you ask?" value={text} onInput={(event) => change({ text: event.currentTarget.value })} />
      <ul>
        {options.map((option, index) => (
          <li key={index}>
            {kind === "quiz" && (
              <input
                type={multiple ? "checkbox" : "radio"}
                name={`right-${number}`}
                aria-label={`Option ${index + 1} is right`}
                title="Right answer"
                checked={right.includes(index)}
                onChange={() => mark(index)}
              />
            )}
            <input type="text" maxLength={OPTION_MAX} aria-label={`Option ${index + 1}`} placeholder={`Option ${index + 1}`} value={option} onInput={(event) => setOption(index, event.currentTarget.value)} />
            {options.length > OPTIONS_MIN && <button type="button" class="round" aria-label={`Remove option ${index + 1}`} onClick={() => dropOption(index)}><CloseIcon /></button>}
          </li>
        ))}
      </ul>
      <div class="below">
        {options.length < OPTIONS_MAX && <button type="button" onClick={() => change({ options: [...options, ""] })}><PlusIcon />Option</button>}
        <label class="tick">
          <input type="checkbox" checked={multiple} onChange={(event) => setMultiple(event.currentTarget.checked)} />
          Several answers
        </label>
        <label class="time">
          Time
          <select value={seconds} onChange={(event) => change({ seconds: Number(event.currentTarget.value) })}>
            {TIMES.map((time) => <option key={time} value={time}>{time === 0 ? "Until closed" : `${time} s`}</option>)}
          </select>
        </label>
      </div>
    </fieldset>
  );
}

export function PollEditor({ kind, onClose }: { kind: NewPoll["kind"]; onClose(): void }) {
  const [title, setTitle] = useState("");
  const [anonymous, setAnonymous] = useState(false);
  const [questions, setQuestions] = useState([blank(kind)]);
  const [busy, setBusy] = useState(false);
  const whole = (kind === "poll" || title.trim() !== "") && questions.every((question) => isWhole(question, kind));
  const save = async (event: Event) => {
    event.preventDefault();
    if (!whole) return;
    setBusy(true);
    if (await attempt((room) => room.activities.makePoll({ kind, title, anonymous, questions }))) onClose();
    setBusy(false);
  };
  const set = (index: number, question: NewQuestion) => setQuestions(questions.map((old, at) => (at === index ? question : old)));
  const name = kind === "quiz" ? "New quiz" : "New poll";
  return (
    <Dialog label={name} onClose={onClose}>
      <form class="card small poll-editor" onSubmit={(event) => void save(event)}>
        <h1>
          {name}
          <small>{kind === "quiz" ? "Mark the right answer of each question" : "A draft that only moderators see, until you open it"}</small>
        </h1>
        <button type="button" class="round corner" aria-label="Close" onClick={onClose}><CloseIcon /></button>
        {kind === "quiz" && <input type="text" maxLength={TEXT_MAX} aria-label="Title of the quiz" placeholder="Title" value={title} onInput={(event) => setTitle(event.currentTarget.value)} />}
        {questions.map((question, index) => (
          <QuestionFields
            key={index}
            kind={kind}
            number={index + 1}
            question={question}
            onChange={(changed) => set(index, changed)}
            onRemove={questions.length > 1 ? () => setQuestions(questions.filter((_, at) => at !== index)) : null}
          />
        ))}
        {kind === "quiz" && questions.length < QUESTIONS_MAX && (
          <button type="button" class="add" onClick={() => setQuestions([...questions, blank(kind)])}><PlusIcon />Another question</button>
        )}
        <label class="tick">
          <input type="checkbox" checked={anonymous} onChange={(event) => setAnonymous(event.currentTarget.checked)} />
          Anonymous: nobody is told who answered what
        </label>
        <div class="actions">
          <button type="button" onClick={onClose}>Cancel</button>
          <button type="submit" class="primary" disabled={busy || !whole}>Save</button>
        </div>
      </form>
    </Dialog>
  );
}
