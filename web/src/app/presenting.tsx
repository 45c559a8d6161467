/** Presenting: the button, the tile, and the question before somebody takes over. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { ScreenIcon, ScreenOffIcon } from "./icons";
import type { Place } from "./layout";
import { Menu } from "./menu";
import type { MenuEntry } from "./menu";
import { attempt, dialog, may, me, moderating, room, tell, view } from "./state";
import { Dialog, Switch, Video } from "./ui";

/** Phones have no screen to share. */
const canCapture = "mediaDevices" in navigator && "getDisplayMedia" in navigator.mediaDevices;

/** Not the tab of the room itself, which would show itself in itself. Sound where the browser has it. */
const CAPTURE = { video: { frameRate: { max: 30 } }, audio: true, selfBrowserSurface: "exclude", surfaceSwitching: "include" };

/** Asks what to present, and presents it. */
async function present(): Promise<void> {
  let capture: MediaStream;
  try {
    capture = await navigator.mediaDevices.getDisplayMedia(CAPTURE);
  } catch (error) {
    // Whoever closed the browser's window knows.
    if (!(error instanceof DOMException && error.name === "NotAllowedError")) tell("Your browser could not capture the screen.", "capture_failed");
    return;
  }
  // Text is to be sharp rather than smooth.
  capture.getVideoTracks().forEach((track) => (track.contentHint = "detail"));
  capture.getAudioTracks().forEach((track) => (track.contentHint = "music"));
  await attempt((r) => r.presenting.start(capture));
}

const stop = (participant: number) => void attempt((r) => r.presenting.stop(participant));

/** In the settings menu, where the toolbar of a narrow window has no place for the button. */
export function presentEntries(): MenuEntry[] {
  const { participant } = view.value.presentation;
  const free = participant === null || (moderating.value && participant !== me.value?.id);
  if (!free || !canCapture || !may.value("present")) return [];
  return [{ kind: "item", label: "Present your screen", run: ask }];
}

function ask(): void {
  if (view.value.presentation.participant === null) void present();
  else dialog.value = { kind: "take-over" };
}

/** Presents, or stops; where somebody else presents, only those who moderate may take over. */
export function Present() {
  const { participant, name } = view.value.presentation;
  const own = me.value !== null && participant === me.value.id;
  if (!own && (!canCapture || !may.value("present"))) return null;
  if (own) return <Switch look="wide-only" on={false} label="Stop presenting" icons={[ScreenIcon, ScreenOffIcon]} onToggle={() => stop(participant)} />;
  const waits = participant !== null && !moderating.value;
  const label = waits ? `${name} is presenting` : "Present your screen";
  return (
    <button type="button" class="round wide-only" aria-label={label} title={label} disabled={waits} onClick={ask}>
      <ScreenIcon />
    </button>
  );
}

/** Taking over ends what somebody else presents. */
export function TakeOverDialog({ onClose }: { onClose(): void }) {
  const { participant, name } = view.value.presentation;
  const question = participant === null ? "Present your screen?" : `${name} is presenting`;
  return (
    <Dialog label={question} onClose={onClose}>
      <section class="card small message">
        <h1>{question}</h1>
        <p>{participant === null ? "Nobody is presenting any more." : `${name} stops presenting as soon as you begin.`}</p>
        <div class="actions">
          <button type="button" onClick={onClose}>Not now</button>
          <button
            type="button"
            class="primary"
            onClick={() => {
              onClose();
              void present();
            }}
          >
            Present instead
          </button>
        </div>
      </section>
    </Dialog>
  );
}

/** What is presented, or to whoever presents it that they do. */
export function ScreenTile({ place }: { place: Place }) {
  const ref = useRef<HTMLElement>(null);
  const { presentation, screenHeld, media } = view.value;
  const { participant, name } = presentation;
  const own = participant === me.value?.id;
  useLayoutEffect(() => {
    const { left, top, width, height } = place;
    Object.assign(ref.current?.style ?? {}, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
  }, [place.left, place.top, place.width, place.height]);
  if (participant === null) return null;
  const isRight = () => room().peer.screenSource() === participant;
  return (
    <article ref={ref} class={own ? "tile screen own-screen" : "tile screen"} aria-label={own ? "You are presenting" : `${name} presents`}>
      {own ? (
        <div class="presenting">
          <ScreenIcon />
          <strong>You are presenting</strong>
          <span>Everyone in the room sees {presentation.sound ? "and hears " : ""}what you share.</span>
          <button type="button" class="danger" onClick={() => stop(participant)}>Stop presenting</button>
        </div>
      ) : (
        <>
          <ScreenIcon />
          {!screenHeld && <Video key={`${presentation.generation}-${media}`} track={room().peer.screen()} isRight={isRight} />}
        </>
      )}
      {!own && (
        <div class="tag">
          <ScreenIcon />
          <span>{name} presents</span>
        </div>
      )}
      {!own && screenHeld && <div class="waiting">Paused: your connection is slow</div>}
      {!own && moderating.value && (
        <Menu label={`More about the screen of ${name}`} entries={[{ kind: "item", label: "Stop presenting", run: () => stop(participant) }]} />
      )}
    </article>
  );
}
