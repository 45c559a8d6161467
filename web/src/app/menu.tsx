/** A button that opens a menu: by pointer, and by keyboard as the ARIA practices describe it. */

import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import { CheckIcon, MoreIcon } from "./icons";

export type MenuEntry =
  | { kind: "item"; label: string; run(): void; /** It cannot be undone. */ grave?: boolean }
  /** One of several. */
  | { kind: "radios"; label: string; choices: { label: string; checked: boolean; run(): void }[] };

interface MenuProps {
  label: string;
  entries: MenuEntry[];
  /** Default: three dots. */
  icon?: () => JSX.Element;
  /** Classes of the button. */
  look?: string;
}

/** Pixels between the button and the menu, and between the menu and the edge of the window. */
const [GAP, MARGIN] = [6, 8];

/** Puts `list` beside `button`, where there is room. Through the style object: the security policy allows no attributes. */
function place(button: Element, list: HTMLElement): void {
  const anchor = button.getBoundingClientRect();
  const { width, height } = list.getBoundingClientRect();
  const below = anchor.bottom + GAP;
  const top = below + height + MARGIN <= innerHeight ? below : Math.max(MARGIN, anchor.top - GAP - height);
  const left = Math.min(Math.max(MARGIN, anchor.right - width), innerWidth - width - MARGIN);
  Object.assign(list.style, { top: `${top}px`, left: `${left}px`, visibility: "visible" });
}

export function Menu({ label, entries, icon: Icon = MoreIcon, look = "" }: MenuProps) {
  /** What the menu offered when it was opened: nothing moves under the pointer. */
  const [offered, setOffered] = useState<MenuEntry[] | null>(null);
  const open = offered !== null;
  const root = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const id = useId();
  const buttons = () => [...(list.current?.querySelectorAll<HTMLButtonElement>("button") ?? [])];
  const close = (refocus: boolean) => {
    setOffered(null);
    if (refocus) root.current?.querySelector("button")?.focus();
  };
  useLayoutEffect(() => {
    if (!open) return undefined;
    const button = root.current?.querySelector("button");
    if (button && list.current) place(button, list.current);
    // Where all there is to do is to choose, the menu opens at what is chosen.
    const chosen = offered.every(({ kind }) => kind === "radios") && buttons().find((one) => one.getAttribute("aria-checked") === "true");
    (chosen || buttons()[0])?.focus({ preventScroll: true });
    const outside = ({ target }: Event) => {
      if (!(target instanceof Node && root.current?.contains(target))) close(false);
    };
    // The menu stays with its button, wherever that moves.
    const follow = () => void (button && list.current && place(button, list.current));
    const moves = ["scroll", "resize"] as const;
    addEventListener("pointerdown", outside, true);
    moves.forEach((name) => addEventListener(name, follow, true));
    return () => {
      removeEventListener("pointerdown", outside, true);
      moves.forEach((name) => removeEventListener(name, follow, true));
    };
  }, [open]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (!open) {
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      event.preventDefault();
      setOffered(entries);
      return;
    }
    const all = buttons();
    const at = all.indexOf(document.activeElement as HTMLButtonElement);
    const go = (to: number) => {
      event.preventDefault();
      all[(to + all.length) % all.length]?.focus();
    };
    switch (event.key) {
      case "Escape":
        event.stopPropagation();
        return close(true);
      case "Tab":
        return close(false);
      case "ArrowDown":
        return go(at + 1);
      case "ArrowUp":
        return go(at - 1);
      case "Home":
        return go(0);
      case "End":
        return go(-1);
      default:
    }
  };
  const run = (action: () => void) => {
    // Focus is back at the button before a window opens, so that it returns there.
    close(true);
    action();
  };
  if (entries.length === 0 && !open) return null;
  return (
    <div ref={root} class={open ? "menu open" : "menu"} onKeyDown={onKeyDown}>
      <button
        type="button"
        class={look}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => (open ? close(true) : setOffered(entries))}
      >
        <Icon />
      </button>
      {open && (
        <ul ref={list} id={id} role="menu" aria-label={label}>
          {offered.map((entry) =>
            entry.kind === "item" ? (
              <li key={entry.label} role="none">
                <button type="button" role="menuitem" tabIndex={-1} class={entry.grave ? "grave" : ""} onClick={() => run(entry.run)}>{entry.label}</button>
              </li>
            ) : (
              <li key={entry.label} role="none" class="radios">
                <span class="caption" aria-hidden="true">{entry.label}</span>
                <ul role="group" aria-label={entry.label}>
                  {entry.choices.map((choice) => (
                    <li key={choice.label} role="none">
                      <button type="button" role="menuitemradio" tabIndex={-1} aria-checked={choice.checked} onClick={() => run(choice.run)}>
                        <span class="check">{choice.checked && <CheckIcon />}</span>
                        {choice.label}
                      </button>
                    </li>
                  ))}
                </ul>
              </li>
            ),
          )}
        </ul>
      )}
    </div>
  );
}
