/** Reads the viewers of a large room while their list is open. */

import { useEffect, useState } from "preact/hooks";
import { ViewerList, browserEnvironment } from "../sdk";
import { inSight, moderating, room, side, view } from "./state";

/** Moderators act upon those they see: how often who is in sight is read anew for them, ms. */
const ANEW_EVERY_MS = 3_000;

/** The list of `search` among the viewers of a room that is not told who they are. */
export interface Found {
  search: string;
  list: ViewerList;
}

/** What was found last: the viewers of another search stand until the first page is there. */
export function useViewerList(search: string): Found | null {
  const [found, setFound] = useState<Found | null>(null);
  const open = side.value === "people" && !view.value.complete;
  const anew = open && moderating.value;
  useEffect(() => {
    if (!open) return setFound(null);
    const list: ViewerList = new ViewerList(
      (after) => room().listViewers(after, search),
      () => setFound({ search, list }),
      browserEnvironment,
    );
    list.look(0, 0);
    const timer = anew ? setInterval(() => inSight.value && list.refresh(), ANEW_EVERY_MS) : undefined;
    return () => {
      clearInterval(timer);
      list.close();
    };
  }, [open, anew, search]);
  return found;
}
