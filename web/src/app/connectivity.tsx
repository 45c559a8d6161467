/** **Connection test**: what works from where a person sits, for themselves and for whoever helps them. */

import { useEffect, useState } from "preact/hooks";
import { WAYS, trying, tryWays, verdict } from "../sdk/connectivity";
import type { Outcome, Outcomes, Verdict, Way } from "../sdk/connectivity";
import { CheckIcon, CloseIcon, DashIcon } from "./icons";
import "./connectivity.css";

const TITLES: Record<Way, { title: string; what: string }> = {
  socket: { title: "Room", what: "who is there, and what happens (WebSocket)" },
  udp: { title: "Sound and picture", what: "the direct way (UDP)" },
  tcp: { title: "Sound and picture over TCP", what: "where a network lets no UDP through" },
  turn: { title: "Sound and picture over a relay", what: "where nothing else gets through (TURN)" },
};

const VERDICTS: Record<Verdict, string> = {
  trying: "Trying each way to the server. This takes up to ten seconds.",
  good: "Everything you need works from here.",
  slower: "You can take part. Your network lets no UDP through, so sound and picture go over TCP and may come a little later.",
  relay_only: "You can take part. Your network lets sound and picture through only over the relay, so they may come a little later.",
  no_media:
    "You would see who is in a room, but neither hear nor see them: your network lets no sound or picture through to this server. " +
    "Try another network, or show this report to whoever looks after yours.",
  nothing: "This server cannot be reached properly from here. Try another network, or show this report to whoever looks after yours.",
};

function words(outcome: Outcome): string {
  switch (outcome.at) {
    case "trying":
      return "trying…";
    case "works":
      return `works, ${Math.max(1, Math.round(outcome.ms))} ms`;
    case "fails":
      return "does not work";
    case "not_offered":
      return "not offered by this server";
    default:
      return outcome satisfies never;
  }
}

/** Plain text, for a mail. */
function report(outcomes: Outcomes, at: Date): string {
  const lines = WAYS.map((way) => {
    const outcome = outcomes[way];
    return `${way}: ${words(outcome)}${outcome.at === "fails" ? ` (${outcome.why})` : ""}`;
  });
  const head = [`Connection test of ${location.host}, ${at.toISOString()}`, VERDICTS[verdict(outcomes)]];
  return [...head, "", ...lines, "", navigator.userAgent, ""].join("\n");
}

function Mark({ outcome }: { outcome: Outcome }) {
  switch (outcome.at) {
    case "trying":
      return <span class="mark"><span class="spin" /></span>;
    case "works":
      return <span class="mark works"><CheckIcon /></span>;
    case "fails":
      return <span class="mark fails"><CloseIcon /></span>;
    case "not_offered":
      return <span class="mark"><DashIcon /></span>;
    default:
      return outcome satisfies never;
  }
}

export function ConnectivityScene() {
  const [outcomes, setOutcomes] = useState(trying);
  const [run, setRun] = useState(0);
  const [copied, setCopied] = useState<"yes" | "no" | null>(null);
  useEffect(() => {
    let current = true;
    setOutcomes(trying());
    setCopied(null);
    void tryWays(location.origin, (way, outcome) => {
      if (current) setOutcomes((before) => ({ ...before, [way]: outcome }));
    });
    return () => {
      current = false;
    };
  }, [run]);
  const result = verdict(outcomes);
  const busy = result === "trying";
  const text = report(outcomes, new Date());
  const copy = () => navigator.clipboard.writeText(text).then(() => setCopied("yes"), () => setCopied("no"));
  return (
    <main class="scene">
      <section class="card message connectivity" aria-busy={busy}>
        <h1>
          Connection test
          <small>{location.host}; camera and microphone are not used</small>
        </h1>
        <p class="verdict" role="status">{VERDICTS[result]}</p>
        <ul>
          {WAYS.map((way) => (
            <li key={way}>
              <Mark outcome={outcomes[way]} />
              <span>
                {TITLES[way].title}
                <small>{TITLES[way].what}</small>
              </span>
              <span class="outcome">
                {words(outcomes[way])}
                {outcomes[way].at === "fails" && <small>{(outcomes[way] as { why: string }).why}</small>}
              </span>
            </li>
          ))}
        </ul>
        <div class="actions">
          <button type="button" disabled={busy} onClick={() => setRun(run + 1)}>Test again</button>
          <button type="button" class="primary" disabled={busy} onClick={() => void copy()}>Copy report</button>
        </div>
        <p role="status" class="copied">{copied === "yes" && "The report is on the clipboard."}</p>
        {copied === "no" && (
          <label>
            The browser does not let the page copy. Copy it from here:
            <textarea readOnly rows={8} value={text} onFocus={(event) => event.currentTarget.select()} />
          </label>
        )}
      </section>
    </main>
  );
}
