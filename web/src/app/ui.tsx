/** Small pieces used all over the page. */

import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { ComponentChildren, JSX } from "preact";
import { hue, initials } from "./layout";
import { MoreIcon } from "./icons";

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
}

/** A round button for something that is on or off. */
export function Switch({ on, label, icons: [On, Off], onToggle, disabled = false }: SwitchProps) {
  return (
    <button type="button" class={on ? "round" : "round off"} aria-pressed={on} aria-label={label} title={label} disabled={disabled} onClick={onToggle}>
      {on ? <On /> : <Off />}
    </button>
  );
}

export interface MenuItem {
  label: string;
  run(): void;
}

/** The three dots, and what they open. */
export function Menu({ label, items }: { label: string; items: MenuItem[] }) {
  /** What the menu offered when it was opened: nothing moves under the pointer. */
  const [offered, setOffered] = useState<MenuItem[] | null>(null);
  const open = offered !== null;
  const setOpen = (now: boolean) => setOffered(now ? items : null);
  const root = useRef<HTMLDivElement>(null);
  const list = useId();
  useEffect(() => {
    if (!open) return undefined;
    root.current?.querySelector<HTMLButtonElement>("li button")?.focus();
    const outside = ({ target }: Event) => {
      if (!root.current?.contains(target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  const onKeyDown = (event: KeyboardEvent) => {
    const buttons = [...(root.current?.querySelectorAll<HTMLButtonElement>("li button") ?? [])];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    if (event.key === "Escape") {
      setOpen(false);
      root.current?.querySelector("button")?.focus();
    } else if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : buttons.length - 1;
      buttons[(at + step) % buttons.length]?.focus();
    }
  };
  if (items.length === 0 && !open) return null;
  return (
    <div ref={root} class={open ? "menu open" : "menu"} onKeyDown={onKeyDown}>
      <button type="button" aria-label={label} title={label} aria-haspopup="menu" aria-expanded={open} aria-controls={list} onClick={() => setOpen(!open)}>
        <MoreIcon />
      </button>
      {open && (
        <ul id={list} role="menu">
          {offered.map((item) => (
            <li key={item.label} role="none">
              <button
                type="button"
                role="menuitem"
                onClick={() => {
                  setOpen(false);
                  item.run();
                }}
              >
                {item.label}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** A window over the page. Escape closes it, and focus stays inside. */
export function Dialog({ label, onClose, children }: { label: string; onClose(): void; children: ComponentChildren }) {
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    root.current?.querySelector<HTMLElement>("button.primary, button, select")?.focus();
    return () => (before instanceof HTMLElement ? before.focus() : undefined);
  }, []);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") onClose();
    if (event.key !== "Tab") return;
    const inside = [...(root.current?.querySelectorAll<HTMLElement>("button, select, input") ?? [])].filter((e) => !("disabled" in e && e.disabled));
    const [first, last] = [inside[0], inside.at(-1)];
    const leaving = event.shiftKey ? document.activeElement === first : document.activeElement === last;
    if (leaving) {
      event.preventDefault();
      (event.shiftKey ? last : first)?.focus();
    }
  };
  return (
    <div ref={root} class="scrim" role="dialog" aria-modal="true" aria-label={label} onKeyDown={onKeyDown}>
      {children}
    </div>
  );
}
