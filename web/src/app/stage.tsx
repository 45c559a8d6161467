/** The stage: a tile for everyone on it, and everybody's voice. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { cameraSlotOf, stagePeople } from "../sdk";
import type { StagePerson } from "../sdk";
import { personEntries } from "./actions";
import { front, layout } from "./arrangement";
import { cameraTrack, choice, micTrack } from "./devices";
import { CameraIcon, CameraOffIcon, MicIcon, MicOffIcon, SpeakingIcon } from "./icons";
import { arrange, shownHeight } from "./layout";
import type { Place } from "./layout";
import { Menu } from "./menu";
import { ScreenTile } from "./presenting";
import { attempt, inSight, me, room, view } from "./state";
import { QualityMark } from "./statistics";
import { Avatar, Video } from "./ui";

/** Muted, unmuted or speaking: an icon and a word, never colour alone. */
export function VoiceMark({ person }: { person: StagePerson }) {
  const { mic, speaking } = person.onStage;
  if (!mic) return <span class="mark muted" title="muted"><MicOffIcon /><span class="hidden">muted</span></span>;
  if (speaking) return <span class="mark speaking" title="speaking"><SpeakingIcon /><span class="hidden">speaking</span></span>;
  return <span class="mark" title="unmuted"><MicIcon /><span class="hidden">unmuted</span></span>;
}

function Tile({ person, place }: { person: StagePerson; place: Place }) {
  const ref = useRef<HTMLElement>(null);
  const own = person.id === me.value?.id;
  const { camera, speaking, mic } = person.onStage;
  const slot = cameraSlotOf(view.value, person.id);
  const remote = slot === null ? null : room().peer.camera(slot);
  const held = !own && slot !== null && view.value.held.has(slot);
  const undecodable = !own && slot !== null && view.value.undecodable.has(slot);
  const track = camera !== "shown" || held || undecodable ? null : own ? cameraTrack.value : remote;
  // The slot's last frames may still be the occupant's before: the CSRC of each packet says whose they are.
  const isRight = () => own || slot === null || room().peer.cameraSource(slot) === person.id;
  useLayoutEffect(() => {
    // Through the style object: the content security policy allows no style attributes.
    const { left, top, width, height } = place;
    Object.assign(ref.current?.style ?? {}, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
  }, [place.left, place.top, place.width, place.height]);
  const dominant = view.value.dominant === person.id;
  const classes = ["tile", speaking && "speaking", dominant && "dominant", own && "own", person.lost && "lost"].filter(Boolean).join(" ");
  return (
    <article ref={ref} class={classes} aria-label={person.name} data-participant={person.id}>
      <Avatar name={person.name} />
      {track !== null && <Video key={`${person.id}-${view.value.media}-${track.id}`} track={track} isRight={isRight} />}
      <div class="tag">
        {own ? (
          <OwnSwitches mic={mic} camera={camera !== "off"} person={person} />
        ) : (
          <VoiceMark person={person} />
        )}
        <span>
          {own ? `${person.name} (you)` : person.name}
          {!mic ? " · muted" : speaking ? " · speaking" : ""}
        </span>
        {!own && camera === "shown" && !held && !undecodable && <QualityMark participant={person.id} />}
      </div>
      {person.lost ? (
        <div class="waiting">reconnecting…</div>
      ) : held ? (
        <div class="waiting">Paused: your connection is slow</div>
      ) : camera === "shown" && undecodable ? (
        <div class="waiting">Your browser cannot show this camera</div>
      ) : (
        camera === "waiting" && <div class="waiting">{own ? "Your camera is waiting for a place" : "Camera is waiting for a place"}</div>
      )}
      <Menu label={`More about ${person.name}`} entries={personEntries(person)} />
    </article>
  );
}

/** On one's own tile the icons turn microphone and camera off and on, like the toolbar. */
function OwnSwitches({ mic, camera, person }: { mic: boolean; camera: boolean; person: StagePerson }) {
  const micText = mic ? "Turn microphone off" : "Turn microphone on";
  const cameraText = camera ? "Turn camera off" : "Turn camera on";
  return (
    <>
      <button type="button" class="inline" aria-label={micText} title={micText} disabled={micTrack.value === null} onClick={() => void attempt((r) => r.setMic(!mic))}>
        <VoiceMark person={person} />
      </button>
      <button type="button" class="inline" aria-label={cameraText} title={cameraText} disabled={cameraTrack.value === null} onClick={() => void attempt((r) => r.setCamera(!camera))}>
        {camera ? <CameraIcon /> : <CameraOffIcon />}
      </button>
    </>
  );
}

/** The room's voices, each slot on its own element. */
export function Voices() {
  const root = useRef<HTMLDivElement>(null);
  const { speaker } = choice.value;
  const { media } = view.value;
  useEffect(() => {
    const elements = room().peer.voices().map((track) => {
      const audio = new Audio();
      audio.srcObject = new MediaStream([track]);
      audio.autoplay = true;
      root.current?.append(audio);
      void audio.play().catch(() => undefined);
      return audio;
    });
    return () =>
      elements.forEach((audio) => {
        audio.srcObject = null;
        audio.remove();
      });
  }, [media]);
  useEffect(() => {
    if (speaker === null) return;
    root.current?.querySelectorAll("audio").forEach((audio) => {
      if ("setSinkId" in audio) void audio.setSinkId(speaker).catch(() => undefined);
    });
  }, [speaker, media]);
  return <div ref={root} hidden />;
}

export function Stage() {
  const ref = useRef<HTMLDivElement>(null);
  const [space, setSpace] = useState({ width: 0, height: 0, gap: 12 });
  const people = stagePeople(view.value);
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(([entry]) => {
      if (entry === undefined) return;
      const gap = Number.parseFloat(getComputedStyle(element).columnGap) || 0;
      setSpace({ width: entry.contentRect.width, height: entry.contentRect.height, gap });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const { participant: presenter } = view.value.presentation;
  // What is presented stands large before everybody.
  const presents = presenter !== null;
  const large = presents ? 0 : people.findIndex(({ id }) => id === front.value);
  const arranged = arrange(presents ? "speaker" : layout.value, people.length + Number(presents), large, space.width, space.height, space.gap);
  const [screenPlace, places] = presents ? [arranged[0], arranged.slice(1)] : [undefined, arranged];
  const own = me.value?.id;
  const shown = people.flatMap((person, n) => {
    const slot = person.id === own ? null : cameraSlotOf(view.value, person.id);
    const place = places[n];
    return slot === null || place === undefined ? [] : [{ slot, height: shownHeight(place.height, devicePixelRatio) }];
  });
  const watched = inSight.value ? shown : [];
  useEffect(() => room().watch(watched), [JSON.stringify(watched)]);
  return (
    <main class="stage" aria-label="Stage">
      <div ref={ref} class="grid">
        {screenPlace && <ScreenTile place={screenPlace} />}
        {people.map((person, n) => {
          const place = places[n];
          return place && <Tile key={person.id} person={person} place={place} />;
        })}
        {people.length === 0 && !presents && (
          <div class="empty">
            <div>
              <strong>Nobody is on stage yet</strong>
              Whoever joins the stage is seen and heard here.
            </div>
          </div>
        )}
      </div>
    </main>
  );
}
