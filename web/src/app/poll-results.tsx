/** How a question was answered, as bars; and the ranking of a quiz. */

import { useLayoutEffect, useRef } from "preact/hooks";
import type { PollQuestion, PollRank } from "../sdk";
import { CheckIcon } from "./icons";
import { me } from "./state";

function Bar({ share }: { share: number }) {
  const bar = useRef<HTMLSpanElement>(null);
  // Through the style object: the security policy allows no attributes.
  useLayoutEffect(() => bar.current?.style.setProperty("--share", String(share)), [share]);
  return <span class="share" ref={bar} aria-hidden="true" />;
}

export function Results({ question, own }: { question: PollQuestion; own: readonly number[] }) {
  const { options, results, right } = question;
  if (results === null) return null;
  return (
    <ul class="results" aria-label="Results">
      {options.map((option, index) => {
        const count = results.counts[index] ?? 0;
        const share = results.answered === 0 ? 0 : count / results.answered;
        const isRight = right?.includes(index) === true;
        return (
          <li key={index} class={isRight ? "right" : ""}>
            <span class="option">
              {isRight && <CheckIcon />}
              {option}
              {isRight && <span class="hidden"> (right)</span>}
              {own.includes(index) && <small> your answer</small>}
            </span>
            <span class="number">{count} · {Math.round(share * 100)} %</span>
            <Bar share={share} />
          </li>
        );
      })}
    </ul>
  );
}

export function Ranking({ ranking }: { ranking: readonly PollRank[] }) {
  if (ranking.length === 0) return <p class="none">Nobody answered</p>;
  return (
    <ol class="ranking" aria-label="Ranking">
      {ranking.map(({ rank, participant, name, points }) => (
        <li key={participant} class={participant === me.value?.id ? "own" : ""}>
          <span class="place">{rank}</span>
          <span class="name">{name}{participant === me.value?.id && " (you)"}</span>
          <span class="number">{points} {points === 1 ? "point" : "points"}</span>
        </li>
      ))}
    </ol>
  );
}
