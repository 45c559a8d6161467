import { Refused, Room, cameraSlotOf, memoryOf, self, stageAction, stagePeople, webSocket } from "@dais/sdk";
import type { StagePerson } from "@dais/sdk";

// The address of your server, the room, and a token that your back end has made for this person.
const [server, id, token] = [new URL("https://stage.example.org"), "my-room", new URLSearchParams(location.hash.slice(1)).get("token") ?? ""];

const room = new Room({ connect: webSocket(server, id), token, memory: memoryOf(token, localStorage, sessionStorage) });

/** Carries out a request; what the server refuses has a stable code, and a sentence for the person. */
async function attempt(request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    element("status").textContent = `${error.failure.text} (${error.failure.code})`;
  }
}

// Devices first: nothing is sent before the person is on stage with microphone or camera on.
let own: MediaStreamTrack | null = null;
async function open(): Promise<void> {
  const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 1280, height: 720 } }).catch(() => null);
  own = media?.getVideoTracks()[0] ?? null;
  await room.useDevices({ mic: media?.getAudioTracks()[0] ?? null, camera: own });
}
const opened = open();

// Everything there is to show is in `room.view`. After each change the page is made to show it.
let [entering, media] = [false, -1];
room.subscribe(() => {
  const { view } = room;
  const { phase } = view;
  if (phase.at === "entry" && !entering) {
    entering = true;
    void opened.then(() => attempt(room.enter("viewer", phase.entry.name ?? "Guest", { mic: false, camera: false })));
  }
  if (phase.at === "closed") element("status").textContent = phase.failure.text;
  if (phase.at !== "room") return;
  element("connection").hidden = view.connection === "up";
  // With a new media connection come new tracks.
  if (media !== view.media) {
    media = view.media;
    play();
  }
  showStage();
  element("chat").replaceChildren(...view.chat.everyone.messages.map(({ name, text }) => create("li", `${name}: ${text}`)));
  const action = stageAction(view);
  const labels = { join: "Join stage", ask: "Ask to join stage", cancel: "Cancel request", none: "" };
  element("stage-button").textContent = labels[action];
  element("stage-button").hidden = action === "none";
});

/** One element for each voice: the server fills them with whoever speaks. */
function play(): void {
  document.querySelectorAll("audio").forEach((audio) => audio.remove());
  for (const track of room.peer.voices()) {
    const audio = Object.assign(new Audio(), { srcObject: new MediaStream([track]), autoplay: true });
    document.body.append(audio);
  }
}

/** A tile for everyone on stage, and for what is presented. */
function showStage(): void {
  const { view } = room;
  const shown = new Map<string, MediaStreamTrack>();
  const watched: { slot: number; height: number }[] = [];
  const names = new Map<string, string>();
  for (const person of stagePeople(view)) {
    const slot = cameraSlotOf(view, person.id);
    const isOwn = person.id === self(view)?.id;
    names.set(`person-${person.id}`, label(person));
    const track = isOwn ? own : slot === null ? null : room.peer.camera(slot);
    if (person.onStage.camera !== "shown" || track === null) continue;
    shown.set(`person-${person.id}`, track);
    if (!isOwn && slot !== null) watched.push({ slot, height: 180 * devicePixelRatio });
  }
  const { presentation } = view;
  if (presentation.participant !== null && presentation.participant !== self(view)?.id) {
    names.set("screen", `${presentation.name} presents`);
    shown.set("screen", room.peer.screen());
  }
  // The server sends each camera as large as it is shown, and nothing that is not.
  room.watch(watched);
  const stage = element("stage");
  [...stage.children].filter(({ id: name }) => !names.has(name)).forEach((tile) => tile.remove());
  for (const [name, text] of names) {
    const tile = document.getElementById(name) ?? newTile(name);
    const [video, caption] = [tile.querySelector("video"), tile.querySelector("figcaption")];
    if (video === null || caption === null) continue;
    caption.textContent = text;
    const track = shown.get(name) ?? null;
    const before = video.srcObject instanceof MediaStream ? video.srcObject.getTracks()[0] : null;
    if (before !== track) video.srcObject = track && new MediaStream([track]);
  }
}

const label = ({ name, onStage: { mic, speaking } }: StagePerson) => `${name}${mic ? (speaking ? ", speaking" : "") : ", muted"}`;

function newTile(name: string): HTMLElement {
  const tile = Object.assign(create("figure", ""), { id: name });
  tile.append(Object.assign(document.createElement("video"), { autoplay: true, muted: true, playsInline: true, height: 180 }), create("figcaption", ""));
  element("stage").append(tile);
  return tile;
}

element("stage-button").onclick = () => {
  const action = stageAction(room.view);
  if (action === "join") void attempt(room.joinStage({ mic: true, camera: true }));
  if (action === "ask") void attempt(room.askToJoin());
  if (action === "cancel") void attempt(room.cancelRequest());
};
element("mic-button").onclick = () => void attempt(room.setMic(!(self(room.view)?.onStage?.mic ?? false)));
element("camera-button").onclick = () => void attempt(room.setCamera(self(room.view)?.onStage?.camera === "off"));
element("present-button").onclick = async () => {
  const [me, presenter] = [self(room.view)?.id ?? null, room.view.presentation.participant];
  if (presenter !== null && presenter === me) return attempt(room.presenting.stop(presenter));
  // Whoever closes the browser's window has thought better of it.
  const capture = await navigator.mediaDevices.getDisplayMedia({ video: true, audio: true }).catch(() => null);
  if (capture !== null) await attempt(room.presenting.start(capture));
};
element("say").onsubmit = (event) => {
  event.preventDefault();
  const input = element("say").querySelector("input");
  if (input !== null) void attempt(room.say("everyone", input.value)).then(() => (input.value = ""));
};

function element(name: string): HTMLElement {
  const found = document.getElementById(name);
  if (found === null) throw new Error(`The page has no #${name}.`);
  return found;
}

const create = (tag: string, text: string) => Object.assign(document.createElement(tag), { textContent: text });
