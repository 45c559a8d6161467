/** This person's devices: what they chose, remembered for the next time, and the tracks of it. */

import { signal } from "@preact/signals";

export type DeviceKind = "camera" | "mic" | "speaker";

/** What is remembered. */
export interface Choice {
  camera: string | null;
  mic: string | null;
  speaker: string | null;
  cameraOn: boolean;
  micOn: boolean;
  name: string;
}

const KEY = "dais.devices";
const DEFAULT: Choice = { camera: null, mic: null, speaker: null, cameraOn: true, micOn: true, name: "" };

function remembered(): Choice {
  try {
    return { ...DEFAULT, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Choice>) };
  } catch {
    return DEFAULT;
  }
}

/** Something that is wrong with a device, for people. */
export interface Problem {
  code: string;
  text: string;
}

export const choice = signal<Choice>(remembered());
export const available = signal<MediaDeviceInfo[]>([]);
export const cameraTrack = signal<MediaStreamTrack | null>(null);
export const micTrack = signal<MediaStreamTrack | null>(null);
export const problem = signal<Problem | null>(null);
/** Whether the browser has been asked, and has answered. */
export const ready = signal(false);

export function choose(change: Partial<Choice>): void {
  choice.value = { ...choice.value, ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(choice.value));
  } catch {
    // Private windows may keep nothing; the choice holds for this visit.
  }
}

/** Asks for camera and microphone. What cannot be had is left out and explained. */
export async function open(): Promise<void> {
  const { camera, mic } = choice.value;
  problem.value = null;
  if (!("mediaDevices" in navigator)) {
    problem.value = { code: "insecure_context", text: "Camera and microphone need a secure (https) page. You can join as a viewer." };
    ready.value = true;
    return;
  }
  try {
    take(await navigator.mediaDevices.getUserMedia({ video: videoOf(camera), audio: audioOf(mic) }));
  } catch {
    await Promise.all([openOne("camera"), openOne("mic")]);
  }
  await list();
  navigator.mediaDevices.addEventListener("devicechange", () => void list());
  ready.value = true;
}

async function list(): Promise<void> {
  available.value = await navigator.mediaDevices.enumerateDevices();
}

/** Changes a device; the other one goes on as it is. Remembered only if it works. */
export async function change(kind: "camera" | "mic", id: string): Promise<void> {
  if (await openOne(kind, id)) choose({ [kind]: id });
}

/** Lets go of camera and microphone: the room is over, and nobody is to wonder about the light at the camera. */
export function release(): void {
  released = true;
  for (const track of [cameraTrack, micTrack]) {
    track.value?.stop();
    track.value = null;
  }
}

let released = false;
/** Counts requests for a device: of two quick choices the later one stands. */
const asked = { camera: 0, mic: 0 };

async function openOne(kind: "camera" | "mic", id = choice.value[kind]): Promise<boolean> {
  const turn = ++asked[kind];
  const constraints = kind === "camera" ? { video: videoOf(id) } : { audio: audioOf(id) };
  try {
    const stream = await navigator.mediaDevices.getUserMedia(constraints);
    if (turn !== asked[kind]) {
      stream.getTracks().forEach((track) => track.stop());
      return false;
    }
    take(stream);
    if (problem.value?.code.startsWith(kind)) problem.value = null;
    return true;
  } catch (error) {
    if (turn === asked[kind]) problem.value = explain(kind, error);
    return false;
  }
}

const videoOf = (id: string | null): MediaTrackConstraints => ({
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30, max: 30 },
  ...(id !== null && { deviceId: { ideal: id } }),
});

const audioOf = (id: string | null): MediaTrackConstraints => ({
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
  ...(id !== null && { deviceId: { ideal: id } }),
});

function take(stream: MediaStream): void {
  for (const track of stream.getTracks()) {
    const [kind, slot] = track.kind === "video" ? (["camera", cameraTrack] as const) : (["mic", micTrack] as const);
    slot.value?.stop();
    if (released) {
      track.stop();
      continue;
    }
    slot.value = track;
    track.onended = () => {
      if (slot.value !== track) return;
      slot.value = null;
      problem.value = explain(kind, new DOMException("", "NotFoundError"));
    };
  }
}

function explain(kind: "camera" | "mic", error: unknown): Problem {
  const what = kind === "camera" ? "camera" : "microphone";
  const name = error instanceof DOMException ? error.name : "unknown";
  switch (name) {
    case "NotAllowedError":
      return { code: `${kind}_not_allowed`, text: `The ${what} is blocked. Allow it in the address bar, then load the page again.` };
    case "NotFoundError":
    case "OverconstrainedError":
      return { code: `${kind}_not_found`, text: `No ${what} was found. Plug one in, or join without it.` };
    case "NotReadableError":
      return { code: `${kind}_in_use`, text: `The ${what} is in use by another program. Close that program, then load the page again.` };
    default:
      return { code: `${kind}_failed`, text: `The ${what} could not be started. You can join without it.` };
  }
}

/** Loudness of the microphone from 0 to 1, told to `each` about 15 times a second. Returns what ends it. */
export function watchLevel(track: MediaStreamTrack, each: (level: number) => void): () => void {
  const context = new AudioContext();
  // Browsers start sound only after the person has done something.
  const wake = () => void context.resume().catch(() => undefined);
  const gestures = ["pointerdown", "keydown"] as const;
  gestures.forEach((gesture) => addEventListener(gesture, wake));
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const rms = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
    // -60 dB is nothing, 0 dB is everything.
    each(Math.max(0, Math.min(1, 1 + (20 * Math.log10(rms || 1e-6)) / 60)));
  }, 66);
  return () => {
    clearInterval(timer);
    gestures.forEach((gesture) => removeEventListener(gesture, wake));
    void context.close();
  };
}

/** Plays two short tones through the chosen speakers. */
export async function testSpeakers(): Promise<void> {
  const context = new AudioContext();
  const { speaker } = choice.value;
  if (speaker !== null && "setSinkId" in context) {
    const routed = context as AudioContext & { setSinkId(id: string): Promise<void> };
    // Speakers that are not there any more: the system's own are heard instead.
    await routed.setSinkId(speaker).catch(() => choose({ speaker: null }));
  }
  for (const [n, frequency] of [523, 784].entries()) {
    const tone = new OscillatorNode(context, { frequency });
    const volume = new GainNode(context, { gain: 0.15 });
    tone.connect(volume).connect(context.destination);
    tone.start(context.currentTime + n * 0.25);
    tone.stop(context.currentTime + n * 0.25 + 0.2);
  }
  setTimeout(() => void context.close(), 1000);
}
