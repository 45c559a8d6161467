/** Small pieces used all over the page. */

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { ComponentChildren, JSX } from "preact";
import { hue, initials } from "./layout";

/** To where a person finds out what their network lets through; the room stays open beside it. */
export function TestLink() {
  return <a href="/connectivity" target="_blank" rel="noreferrer">Test your connection</a>;
}

export function Avatar({ name }: { name: string }) {
  return <span class={`avatar hue-${hue(name)}`} aria-hidden="true">{initials(name)}</span>;
}

interface VideoProps {
  track: MediaStreamTrack;
  /** Whether the frames that come are those of the right person already. */
  isRight?: () => boolean;
}

/** A video element that plays `track` and is shown from its first right frame on. */
export function Video({ track, isRight = () => true }: VideoProps) {
  const ref = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const video = ref.current;
    if (video === null) return undefined;
    video.classList.remove("seen");
    video.srcObject = new MediaStream([track]);
    const shown = () => {
      if (isRight()) video.classList.add("seen");
      else video.requestVideoFrameCallback(shown);
    };
    // Firefox has the callback since 132; without it, loaded data is as good a sign.
    if ("requestVideoFrameCallback" in HTMLVideoElement.prototype) video.requestVideoFrameCallback(shown);
    else video.addEventListener("loadeddata", () => video.classList.add("seen"), { once: true });
    void video.play().catch(() => undefined);
    return () => {
      video.srcObject = null;
    };
  }, [track]);
  return <video ref={ref} muted playsInline autoPlay />;
}

interface SwitchProps {
  on: boolean;
  label: string;
  icons: [() => JSX.Element, () => JSX.Element];
  onToggle(): void;
  disabled?: boolean;
  /** A class besides its own. */
  look?: string;
}

/** A round button for something that is on or off. */
export function Switch({ on, label, icons: [On, Off], onToggle, disabled = false, look = "" }: SwitchProps) {
  return (
    <button type="button" class={`${on ? "round" : "round off"} ${look}`.trim()} aria-pressed={on} aria-label={label} title={label} disabled={disabled} onClick={onToggle}>
      {on ? <On /> : <Off />}
    </button>
  );
}

/** A window over the page. Escape closes it, and focus stays inside. */
export function Dialog({ label, onClose, children }: { label: string; onClose(): void; children: ComponentChildren }) {
  const root = useRef<HTMLDivElement>(null);
  // Before anything is painted: a key pressed at once is for the window.
  useLayoutEffect(() => {
    const before = document.activeElement;
    const focusable = [...(root.current?.querySelectorAll<HTMLElement>(FOCUSABLE) ?? [])];
    (focusable.find((element) => element.classList.contains("primary")) ?? focusable[0])?.focus();
    return () => (before instanceof HTMLElement ? before.focus() : undefined);
  }, []);
  useLayoutEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === "Escape") onClose();
      if (event.key !== "Tab") return;
      const inside = [...(root.current?.querySelectorAll<HTMLElement>(FOCUSABLE) ?? [])];
      const [first, last] = [inside[0], inside.at(-1)];
      const leaving = event.shiftKey ? document.activeElement === first : document.activeElement === last;
      if (leaving || !root.current?.contains(document.activeElement)) {
        event.preventDefault();
        (event.shiftKey ? last : first)?.focus();
      }
    };
    // On the document: the button that had the focus may be gone, and keys then go to the page.
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [onClose]);
  return (
    <div ref={root} class="scrim" role="dialog" aria-modal="true" aria-label={label}>
      {children}
    </div>
  );
}

const FOCUSABLE = 'a[href], button:not(:disabled), select:not(:disabled), input:not(:disabled), textarea:not(:disabled), [tabindex="0"]';
