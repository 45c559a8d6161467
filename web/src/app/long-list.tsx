/** A list of people of any length: of a long one, only what is in sight is in the page. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { ROW_PX, placesInSight } from "./places";

/** A row of a list. */
export interface Row {
  key: string | number;
  content: ComponentChildren;
}

interface LongListProps {
  label: string;
  count: number;
  /** The row at a place, counted from 0. */
  row(place: number): Row;
  /** First and last place in sight, whenever they change. */
  onLook?(first: number, last: number): void;
}

/** A list this short is in the page as a whole, its rows as high as they need. */
const SHORT = 40;

export function LongList({ label, count, row, onLook }: LongListProps) {
  const list = useRef<HTMLUListElement>(null);
  const [[first, last], setSight] = useState<readonly [number, number]>([0, 0]);
  /** The row that has the focus stays, wherever the list is scrolled to. */
  const [focused, setFocused] = useState<number | null>(null);
  const long = count > SHORT;
  const look = () => {
    const scroller = list.current?.closest(".scroll");
    if (!list.current || !scroller) return;
    const above = scroller.getBoundingClientRect().top - list.current.getBoundingClientRect().top;
    const sight = placesInSight(above, scroller.clientHeight, count);
    if (sight[0] !== first || sight[1] !== last) setSight(sight);
  };
  // What stands above the list may have grown or shrunk.
  useLayoutEffect(look);
  const latest = useRef(look);
  latest.current = look;
  useLayoutEffect(() => {
    const scroller = list.current?.closest(".scroll");
    if (!scroller) return undefined;
    const again = () => latest.current();
    const sizes = new ResizeObserver(again);
    sizes.observe(scroller);
    scroller.addEventListener("scroll", again, { passive: true });
    return () => {
      sizes.disconnect();
      scroller.removeEventListener("scroll", again);
    };
  }, []);
  useLayoutEffect(() => onLook?.(first, last), [first, last, onLook]);
  if (!long) {
    const rows = Array.from({ length: count }, (_, place) => row(place));
    return (
      <ul class="people" ref={list} aria-label={label}>
        {rows.map(({ key, content }) => <li class="person" key={key}>{content}</li>)}
      </ul>
    );
  }
  const places = Array.from({ length: Math.min(last, count - 1) - first + 1 }, (_, n) => first + n);
  if (focused !== null && focused < count && !places.includes(focused)) places.push(focused);
  places.sort((a, b) => a - b);
  const focus = ({ target }: Event) => {
    const place = target instanceof Element ? Number(target.closest("li[aria-posinset]")?.getAttribute("aria-posinset")) : 0;
    setFocused(place > 0 ? place - 1 : null);
  };
  return (
    <ul class="people long" ref={list} aria-label={label} style={{ height: pixels(count) }} onFocusIn={focus} onFocusOut={() => setFocused(null)}>
      {places.map((place) => {
        const { key, content } = row(place);
        return (
          <li class="person" key={key} aria-setsize={count} aria-posinset={place + 1} style={{ top: pixels(place) }}>{content}</li>
        );
      })}
    </ul>
  );
}

const pixels = (rows: number) => `${rows * ROW_PX}px`;
