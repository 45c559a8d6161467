/** Reactions: six signs to send, and those of everyone floating over the stage. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Reaction } from "../sdk";
import { SmileIcon } from "./icons";
import { attempt, may, view } from "./state";

const SIGNS: Record<Reaction, { sign: string; label: string }> = {
  like: { sign: "👍", label: "Like" },
  love: { sign: "❤️", label: "Love" },
  applause: { sign: "👏", label: "Applause" },
  laugh: { sign: "😂", label: "Laugh" },
  wow: { sign: "😮", label: "Wow" },
  celebrate: { sign: "🎉", label: "Celebrate" },
};
const ALL = Object.keys(SIGNS) as Reaction[];

/** Signs in the air at once. What comes beyond is in the number beside one of them. */
const FLOATS_MAX = 24;
/** How long the sum of what came stays for those who want no motion, ms. */
const STILL_MS = 2_000;
/** A person may send five a second; the button rests as long. */
const REST_MS = 200;

export function Reactions() {
  const [open, setOpen] = useState(false);
  const [resting, setResting] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return undefined;
    const outside = ({ target }: Event) => {
      if (!(target instanceof Node && root.current?.contains(target))) setOpen(false);
    };
    addEventListener("pointerdown", outside, true);
    return () => removeEventListener("pointerdown", outside, true);
  }, [open]);
  if (!may.value("react")) return null;
  const send = (reaction: Reaction) => {
    setResting(true);
    setTimeout(() => setResting(false), REST_MS);
    void attempt((room) => room.activities.react(reaction));
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !open) return;
    event.stopPropagation();
    setOpen(false);
    root.current?.querySelector("button")?.focus();
  };
  return (
    <div class="reactions" ref={root} onKeyDown={pressed}>
      <button type="button" class="round" aria-label="React" title="React" aria-expanded={open} aria-controls="signs" onClick={() => setOpen(!open)}>
        <SmileIcon />
      </button>
      {open && (
        <div class="signs" id="signs" role="group" aria-label="Reactions">
          {ALL.map((reaction) => (
            <button key={reaction} type="button" aria-label={SIGNS[reaction].label} title={SIGNS[reaction].label} aria-disabled={resting} onClick={() => resting || send(reaction)}>
              {SIGNS[reaction].sign}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

const still = window.matchMedia("(prefers-reduced-motion: reduce)");

/** Sends `text` up from somewhere along the bottom of `air`. */
function float(air: HTMLElement, text: string): void {
  const sign = document.createElement("span");
  sign.textContent = text;
  sign.className = "float";
  sign.style.left = `${8 + Math.random() * 84}%`;
  sign.style.setProperty("--sway", `${Math.round(Math.random() * 60 - 30)}px`);
  sign.addEventListener("animationend", () => sign.remove(), { once: true });
  air.append(sign);
}

/** What everybody sends. For the eye alone: nobody wants hundreds of signs read aloud. */
export function Floats() {
  const air = useRef<HTMLDivElement>(null);
  const [sum, setSum] = useState("");
  const clearing = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const { seq, counts } = view.value.reactions;
  useEffect(() => {
    const { current } = air;
    if (seq === 0 || current === null || document.hidden) return;
    if (still.matches) {
      clearTimeout(clearing.current);
      setSum(counts.map(({ reaction, count }) => `${SIGNS[reaction].sign} ${count}`).join("  "));
      clearing.current = setTimeout(() => setSum(""), STILL_MS);
      return;
    }
    for (const { reaction, count } of counts) {
      const free = FLOATS_MAX - current.childElementCount;
      if (free <= 0) continue;
      const single = Math.min(count, free, 3);
      for (let n = 1; n < single; n += 1) float(current, SIGNS[reaction].sign);
      const rest = count - single + 1;
      float(current, rest > 1 ? `${SIGNS[reaction].sign}${rest}` : SIGNS[reaction].sign);
    }
  }, [seq]);
  return (
    <div class="air" aria-hidden="true">
      <div ref={air} class="floats" />
      {sum !== "" && <p class="sum">{sum}</p>}
    </div>
  );
}
