/** Which rows of a long list are in sight. */

/** Height of a row of a long list, as in style.css. */
export const ROW_PX = 56;
/** Rows beyond each edge that are in the page all the same: the next to be scrolled to, or to get the focus. */
const BEYOND = 8;

/** First and last place, counted from 0, of a list of `count` that begins `above` pixels over a window of `height`. */
export function placesInSight(above: number, height: number, count: number): readonly [number, number] {
  const within = (place: number) => Math.min(Math.max(place, 0), Math.max(count - 1, 0));
  return [within(Math.floor(above / ROW_PX) - BEYOND), within(Math.floor((above + height) / ROW_PX) + BEYOND)];
}
