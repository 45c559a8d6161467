/** How media comes and goes: a mark on each tile, and all of it in a window. */

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { cameraSlotOf, stagePeople, statistics } from "../sdk";
import type { Look, MediaPeer, Quality, ReceivedStream, SentStream, Statistics, StreamStatistics } from "../sdk";
import { me, room, view } from "./state";
import { Dialog } from "./ui";

/** Between two looks, ms. */
const EVERY_MS = 2_000;

const current = signal<Statistics | null>(null);

/** Keeps looking, for as long as the component lives. */
export function useStatistics(): void {
  useEffect(() => {
    let before: { peer: MediaPeer; look: Look } | null = null;
    let over = false;
    const measure = async () => {
      const { peer } = room();
      // A connection that is closed has nothing to tell; the next one begins anew.
      const look = await peer.look().catch(() => null);
      if (over) return;
      current.value = look !== null && before?.peer === peer ? statistics(before.look, look) : null;
      before = look && { peer, look };
    };
    void measure();
    const timer = setInterval(() => void measure(), EVERY_MS);
    return () => {
      over = true;
      clearInterval(timer);
      current.value = null;
    };
  }, []);
}

function receivedFrom(participant: number): ReceivedStream | null {
  const slot = cameraSlotOf(view.value, participant);
  const mid = slot === null ? null : room().peer.cameraMid(slot);
  return (mid !== null && current.value?.received.get(mid)) || null;
}

const QUALITY: Record<Quality, { text: string; bars: number }> = {
  good: { text: "good picture", bars: 3 },
  fair: { text: "fair picture: packets are lost", bars: 2 },
  poor: { text: "poor picture: much is lost", bars: 1 },
};

/** Bars and words: how well a picture comes in. Nothing until that is known. */
export function QualityMark({ participant }: { participant: number }) {
  const stream = receivedFrom(participant);
  if (stream === null) return null;
  const { text, bars } = QUALITY[stream.quality];
  return (
    <span class={`mark quality ${stream.quality}`} title={text}>
      <svg viewBox="0 0 24 24" aria-hidden="true">
        {[0, 1, 2].map((n) => <path key={n} class={n < bars ? "" : "faint"} d={`M${6 + 6 * n} 19v-${4 + 5 * n}`} />)}
      </svg>
      <span class="hidden">{text}</span>
    </span>
  );
}

const bits = (bitrate: number) => (bitrate >= 1_000_000 ? `${(bitrate / 1_000_000).toFixed(1)} Mbit/s` : `${Math.round(bitrate / 1_000)} kbit/s`);
const share = (part: number) => `${(part * 100).toFixed(part > 0 && part < 0.1 ? 1 : 0)} %`;
const size = ({ picture }: StreamStatistics) => (picture === null ? "–" : `${picture.width} × ${picture.height}, ${Math.round(picture.framesPerSecond)}/s`);
const codec = ({ codec: name }: StreamStatistics) => (name === "opus" ? "Opus" : (name ?? "–"));

interface Row {
  key: string;
  name: string;
  stream: StreamStatistics;
  /** Of what is received. */
  loss?: number;
  remark: string;
}

/** Names of the layers, smallest first. */
const LAYERS = new Map([["q", "small"], ["h", "middle"], ["f", "full"]]);
const order = ({ layer }: SentStream) => [...LAYERS.keys()].indexOf(layer ?? "");
const LIMITED = { cpu: "limited by this computer", bandwidth: "limited by the network" };

function sentRow(stream: SentStream, n: number): Row {
  const what = stream.kind === "audio" ? "Microphone" : "Camera";
  const layer = stream.layer === null ? "" : `, ${LAYERS.get(stream.layer) ?? stream.layer}`;
  return { key: `${n}`, name: what + layer, stream, remark: stream.limited === null ? "" : LIMITED[stream.limited] };
}

function receivedRows({ received }: Statistics): Row[] {
  const pictures = stagePeople(view.value).flatMap(({ id, name }): Row[] => {
    const stream = id === me.value?.id ? null : receivedFrom(id);
    return stream === null ? [] : [{ key: `${id}`, name, stream, loss: stream.loss, remark: QUALITY[stream.quality].text }];
  });
  const voices = [...received].filter(([, { kind }]) => kind === "audio");
  const sounds = voices.map(([mid, stream], n): Row => ({ key: mid, name: `Voice ${n + 1}`, stream, loss: stream.loss, remark: "" }));
  return [...pictures, ...sounds];
}

function Streams({ caption, rows }: { caption: string; rows: Row[] }) {
  if (rows.length === 0) return null;
  const received = rows.some(({ loss }) => loss !== undefined);
  return (
    <table>
      <caption>{caption}</caption>
      <thead>
        <tr><th scope="col">What</th><th scope="col">Bit rate</th><th scope="col">Picture</th><th scope="col">Codec</th>{received && <th scope="col">Lost</th>}<th scope="col"><span class="hidden">Remark</span></th></tr>
      </thead>
      <tbody>
        {rows.map(({ key, name, stream, loss, remark }) => (
          <tr key={key}>
            <th scope="row">{name}</th>
            <td>{bits(stream.bitrate)}</td>
            <td>{size(stream)}</td>
            <td>{codec(stream)}</td>
            {received && <td>{loss === undefined ? "–" : share(loss)}</td>}
            <td class="remark">{remark}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function StatisticsDialog({ onClose }: { onClose(): void }) {
  const now = current.value;
  const sum = (streams: Iterable<StreamStatistics>) => bits([...streams].reduce((all, { bitrate }) => all + bitrate, 0));
  return (
    <Dialog label="Statistics" onClose={onClose}>
      <section class="card statistics">
        <h1>Statistics<small>of the last two seconds</small></h1>
        {now === null ? (
          <p role="status">Measuring…</p>
        ) : (
          <>
            <dl>
              <div><dt>To the server and back</dt><dd>{now.roundTripMs === null ? "–" : `${Math.round(now.roundTripMs)} ms`}</dd></div>
              <div><dt>Receiving</dt><dd>{sum(now.received.values())}</dd></div>
              <div><dt>Sending</dt><dd>{sum(now.sent)}</dd></div>
              {now.sent.length > 0 && now.available !== null && <div><dt>The line carries</dt><dd>{bits(now.available)}</dd></div>}
            </dl>
            <div class="tables" role="group" aria-label="Streams" tabIndex={0}>
              <Streams caption="Received" rows={receivedRows(now)} />
              <Streams caption="Sent" rows={now.sent.toSorted((a, b) => order(a) - order(b)).map(sentRow)} />
            </div>
          </>
        )}
        <div class="actions"><button type="button" class="primary" onClick={onClose}>Close</button></div>
      </section>
    </Dialog>
  );
}
