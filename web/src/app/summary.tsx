/** The report of a session, for its hosts: who was there, how polls went, and tables to take away. */

import { useEffect, useState } from "preact/hooks";
import { sessionSummary, summaryTable } from "../sdk";
import type { SessionSummary, SummaryTable } from "../sdk";
import { duration, line, presence } from "./attendance";
import { CloseIcon } from "./icons";
import { locales } from "./locale";
import { Ranking, Results } from "./poll-results";
import { access } from "./state";
import { ROLE_LABELS } from "./texts";
import { Dialog } from "./ui";

const TABLES: [SummaryTable, string][] = [
  ["attendance.csv", "Attendance"],
  ["chat.csv", "Chat"],
  ["polls.csv", "Polls"],
];
/** The chart, in its own units. */
const [WIDTH, HEIGHT] = [600, 110];

async function download(table: SummaryTable): Promise<void> {
  const { room, token } = access();
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await summaryTable(room, token, table));
  link.download = `${room}-${table}`;
  link.click();
  URL.revokeObjectURL(link.href);
}

const when = (moment: string) => new Date(moment).toLocaleString(locales(), { dateStyle: "medium", timeStyle: "short" });
const clock = (moment: string | number) => new Date(moment).toLocaleTimeString(locales(), { hour: "2-digit", minute: "2-digit" });

function Chart({ summary }: { summary: SessionSummary }) {
  const entries = summary.people.flatMap(({ visits }) => visits.map(({ entered }) => Date.parse(entered)));
  // An empty room before the first entry is no part of the session.
  const from = Math.min(...entries);
  const to = summary.ended === null ? Date.now() : Date.parse(summary.ended);
  if (entries.length === 0) return null;
  const points = line(presence(summary.people, from, to), WIDTH, HEIGHT);
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`People in the room from ${clock(from)} to ${clock(to)}, at most ${summary.most}`}>
        <polygon points={`0,${HEIGHT} ${points} ${WIDTH},${HEIGHT}`} />
        <polyline points={points} />
      </svg>
      <figcaption><span>{clock(from)}</span><span>{clock(to)}</span></figcaption>
    </figure>
  );
}

function People({ summary }: { summary: SessionSummary }) {
  return (
    <div class="table" tabIndex={0} role="region" aria-label="Attendance">
      <table>
        <thead>
          <tr><th scope="col">Name</th><th scope="col">Role</th><th scope="col">There</th><th scope="col">On stage</th><th scope="col">Speaking</th></tr>
        </thead>
        <tbody>
          {summary.people.map((person) => (
            <tr key={person.identity}>
              <th scope="row">{person.name}</th>
              <td>{ROLE_LABELS[person.role]}</td>
              <td>{duration(person.presentSeconds)}</td>
              <td>{duration(person.stageSeconds)}</td>
              <td>{duration(person.speakingSeconds)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Report({ summary }: { summary: SessionSummary }) {
  const onStage = summary.people.filter(({ stageSeconds }) => stageSeconds > 0).length;
  const some = (count: number, one: string, more: string): [string, number] => [count === 1 ? one : more, count];
  const figures = [
    some(summary.people.length, "person", "people"),
    some(summary.most, "at once", "at once"),
    some(onStage, "on stage", "on stage"),
    some(summary.chat.length, "message", "messages"),
    some(summary.polls.length, "poll", "polls"),
  ];
  return (
    <>
      <dl class="figures">
        {figures.map(([label, value]) => <div key={label}><dt>{label}</dt><dd>{value}</dd></div>)}
      </dl>
      <Chart summary={summary} />
      <People summary={summary} />
      {summary.polls.map((poll) => (
        <section key={poll.poll} class="report-poll">
          <h2>{poll.kind === "quiz" ? `Quiz: ${poll.title}` : "Poll"}</h2>
          {poll.kind === "quiz" && <Ranking ranking={poll.ranking} />}
          {poll.questions.map((question) => (
            <div key={question.index}>
              <h3>{question.text !== "" ? question.text : "Asked aloud"}</h3>
              <Results question={question} own={[]} />
            </div>
          ))}
        </section>
      ))}
    </>
  );
}

export function SummaryDialog({ onClose }: { onClose(): void }) {
  const [summary, setSummary] = useState<SessionSummary | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const fail = (error: unknown) => setProblem(error instanceof Error ? error.message : String(error));
  useEffect(() => {
    const { room, token } = access();
    sessionSummary(room, token).then(setSummary, fail);
  }, []);
  const until = summary?.ended == null ? "goes on" : `ended ${clock(summary.ended)}`;
  return (
    <Dialog label="Session report" onClose={onClose}>
      <section class="card small report">
        <h1>
          Session report
          {summary !== null && <small>{summary.title} · {when(summary.opened)} · {until}</small>}
        </h1>
        <button type="button" class="round corner" aria-label="Close" onClick={onClose}><CloseIcon /></button>
        {problem !== null && <p class="problem" role="alert">{problem}</p>}
        {summary === null && problem === null && <div class="spin" role="status" aria-label="Loading" />}
        {summary !== null && <Report summary={summary} />}
        <div class="actions">
          {TABLES.map(([table, label]) => (
            <button key={table} type="button" disabled={summary === null} onClick={() => void download(table).catch(fail)}>{label} (CSV)</button>
          ))}
        </div>
      </section>
    </Dialog>
  );
}
