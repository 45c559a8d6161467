/**
 * The media connection: one RTCPeerConnection, negotiated once. All slots of the layout are there from the start; what
 * happens on stage changes who stands in them, never the session description.
 */

import { mostIn, withMost, withRedundancy } from "./answer";
import type { Codec, IceCredentials } from "./protocol.gen";
import { Redundancy } from "./redundancy";
import { isNarrow, look, lossesUpwards, selectedPair } from "./statistics";
import type { Look } from "./statistics";
import { LOOK_MS, Upload } from "./upload";

/** Slots of the layout, as docs/protocol.md numbers them. */
export const LAYOUT = { cameras: 25, voices: 8 } as const;

/** Simulcast layers of a camera, smallest first. */
const CAMERA_LAYERS: RTCRtpEncodingParameters[] = [
  { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { rid: "f", scaleResolutionDownBy: 1, maxBitrate: 2_500_000 },
];

/** Of a screen: for slow lines one that is small and changes seldom, and all of it. */
const SCREEN_LAYERS: RTCRtpEncodingParameters[] = [
  { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 350_000, maxFramerate: 5 },
  { rid: "f", scaleResolutionDownBy: 1, maxBitrate: 2_500_000 },
];

/** What a codec is called in session descriptions, and which of its variants every browser that has it decodes. */
const CODECS: Record<Codec, { mime: string; fits: (parameters: string) => boolean }> = {
  vp8: { mime: "video/vp8", fits: () => true },
  h264: { mime: "video/h264", fits: (parameters) => parameters.includes("packetization-mode=1") && parameters.includes("profile-level-id=42e0") },
  vp9: { mime: "video/vp9", fits: (parameters) => !/profile-id=[1-9]/.test(parameters) },
  av1: { mime: "video/av1", fits: (parameters) => !/profile=[1-9]/.test(parameters) },
};

/**
 * A connection that is `disconnected` this long is given up, ms. Browsers wait some 15 s more before they call it
 * failed, and a socket without a network says nothing at all: the grace time of 30 s would be nearly over.
 */
const AWAY_MS_MAX = 5_000;

export class Peer {
  /** How often what is sent and received was agreed upon with the server. It stays at one. */
  negotiations = 0;
  readonly connection: RTCPeerConnection;
  #changing: Promise<void> = Promise.resolve();
  /** What was seen when it was last looked at. */
  #looked: Look | null = null;
  #looking: ReturnType<typeof setTimeout> | undefined;
  readonly #mic: RTCRtpTransceiver;
  readonly #camera: RTCRtpSender;
  readonly #cameraSection: RTCRtpTransceiver;
  readonly #screen: RTCRtpSender;
  readonly #screenSound: RTCRtpSender;
  /** What pictures are to be sent in, once that is known. */
  #sends: Codec | null = null;
  readonly #cameras: RTCRtpTransceiver[];
  readonly #voices: RTCRtpTransceiver[];
  readonly #presented: RTCRtpTransceiver;

  /** `iceServers` relay where nothing else gets through; `codec` is the room's. */
  constructor(iceServers: RTCIceServer[] = [], codec: Codec = "vp8") {
    const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers });
    const add = (kind: "audio" | "video", direction: "sendonly" | "recvonly", layers?: RTCRtpEncodingParameters[]) => {
      const transceiver = connection.addTransceiver(kind, { direction, ...(layers && { sendEncodings: layers }) });
      prefer(transceiver, kind === "audio" ? isVoice : (one) => isOf(codec, one), direction);
      return transceiver;
    };
    const receivers = (kind: "audio" | "video", count: number) =>
      Array.from({ length: count }, () => add(kind, "recvonly"));
    this.connection = connection;
    // The order within a kind gives each section its meaning.
    this.#mic = add("audio", "sendonly");
    const camera = add("video", "sendonly", layersOf(codec, CAMERA_LAYERS));
    [this.#camera, this.#cameraSection] = [camera.sender, camera];
    this.#screen = add("video", "sendonly", layersOf(codec, SCREEN_LAYERS)).sender;
    this.#screenSound = add("audio", "sendonly").sender;
    this.#cameras = receivers("video", LAYOUT.cameras);
    this.#presented = add("video", "recvonly");
    // The last is the sound of the screen.
    this.#voices = receivers("audio", LAYOUT.voices + 1);
  }

  /** The offer. Gathering candidates is not waited for: the server answers checks, it sends none. */
  async offer(): Promise<string> {
    await this.connection.setLocalDescription();
    return this.connection.localDescription?.sdp ?? "";
  }

  async accept(answer: string): Promise<void> {
    await this.connection.setRemoteDescription({ type: "answer", sdp: answer });
    this.negotiations += 1;
    // Before the answer no codec was agreed upon that could be chosen.
    await this.#chooseCodec().catch(() => undefined);
    this.#tend(new Upload(), new Redundancy());
  }

  /** Fits what is sent to the line upwards, again and again. */
  #tend(upload: Upload, redundancy: Redundancy): void {
    this.#looking = setTimeout(() => {
      const next = () => {
        if (this.connection.signalingState !== "closed") this.#tend(upload, redundancy);
      };
      void this.#fit(upload, redundancy).then(next, next);
    }, LOOK_MS);
  }

  /** See {@link Upload}, {@link Redundancy}. Browsers that do not say what they believe the line carries are left to themselves. */
  async #fit(upload: Upload, redundancy: Redundancy): Promise<void> {
    const wanted = this.#wanted();
    const looked = wanted > 0 || this.#mic.sender.track !== null ? await this.look() : null;
    const agreed = this.connection.remoteDescription?.sdp ?? "";
    const [camera, mic, now] = [this.#cameraSection.mid ?? "", this.#mic.mid ?? "", performance.now()];
    const most = mostIn(agreed, camera);
    const available = wanted === 0 || looked === null ? 0 : selectedPair(looked).available;
    const narrow = looked !== null && isNarrow(looked);
    const next = available === null ? most : upload.next(now, { available, wanted, narrow, most });
    const losses = looked === null || this.#looked === null ? { sent: 0, lost: 0 } : lossesUpwards(this.#looked, looked);
    this.#looked = looked;
    const redundant = redundancy.next(now, losses);
    const fit = (answer: string) => withRedundancy(withMost(answer, camera, next), mic, redundant);
    if (fit(agreed) !== agreed) await this.#inTurn(() => this.#agree(fit));
  }

  /** What the pictures that are sent would take, bit/s. */
  #wanted(): number {
    const encodings = [this.#camera, this.#screen].flatMap((sender) => (sender.track === null ? [] : sender.getParameters().encodings));
    return encodings.reduce((sum, { active, maxBitrate }) => sum + (active === false ? 0 : (maxBitrate ?? 0)), 0);
  }

  /** Agrees upon the answer as it was, but for an `edit`. The server is not asked: to it nothing has changed. */
  async #agree(edit: (answer: string) => string): Promise<void> {
    const answer = this.connection.remoteDescription?.sdp ?? "";
    await this.connection.setLocalDescription();
    await this.connection.setRemoteDescription({ type: "answer", sdp: edit(answer) });
  }

  /** Starts or stops sending; the session description stays as it is. */
  setMic(track: MediaStreamTrack | null): Promise<void> {
    return this.#mic.sender.replaceTrack(track);
  }

  /** See {@link setMic}. */
  setCamera(track: MediaStreamTrack | null): Promise<void> {
    return this.#camera.replaceTrack(track);
  }

  /** See {@link setMic}. */
  async setScreen(picture: MediaStreamTrack | null, sound: MediaStreamTrack | null): Promise<void> {
    await Promise.all([this.#screen.replaceTrack(picture), this.#screenSound.replaceTrack(sound)]);
  }

  /** Encodes only these layers of the camera, or of the screen, smallest first: nobody gets the others. */
  async sendLayers(layers: readonly boolean[], screen: boolean): Promise<void> {
    await this.#change(screen ? this.#screen : this.#camera, ({ encodings }) => {
      encodings.forEach((encoding, n) => (encoding.active = layers[n] ?? true));
    });
  }

  /** Sends pictures in another of the codecs agreed upon, from the next key frame on. Who cannot encode it goes on as before. */
  async sendCodec(codec: Codec): Promise<void> {
    this.#sends = codec;
    if (this.negotiations > 0) await this.#chooseCodec();
  }

  async #chooseCodec(): Promise<void> {
    const codec = this.#sends;
    if (codec === null) return;
    const choose = ({ codecs, encodings }: RTCRtpSendParameters) => {
      const chosen = codecs.find((one) => one.mimeType.toLowerCase() === CODECS[codec].mime);
      if (chosen !== undefined) encodings.forEach((encoding: Encoding) => (encoding.codec = chosen));
    };
    for (const sender of [this.#camera, this.#screen]) await this.#change(sender, choose);
  }

  async #change(sender: RTCRtpSender, edit: (parameters: RTCRtpSendParameters) => void): Promise<void> {
    await this.#inTurn(async () => {
      const parameters = sender.getParameters();
      edit(parameters);
      await sender.setParameters(parameters);
    });
  }

  /** Parameters, or a description, that were read before another change was made are refused: one change after the other. */
  async #inTurn(change: () => Promise<void>): Promise<void> {
    this.#changing = this.#changing.then(change, change);
    await this.#changing;
  }

  /** The track of a camera slot; the same for the life of the connection. */
  camera(slot: number): MediaStreamTrack | null {
    return this.#cameras[slot]?.receiver.track ?? null;
  }

  /** Whose frames a camera slot shows right now. */
  cameraSource(slot: number): number | null {
    return sourceOf(this.#cameras[slot]);
  }

  /** What is presented; the same track for the life of the connection. */
  screen(): MediaStreamTrack {
    return this.#presented.receiver.track;
  }

  /** Whose frames {@link screen} shows right now. */
  screenSource(): number | null {
    return sourceOf(this.#presented);
  }

  /** Whether it was up, and neither it nor the browser has given up since. */
  isAlive(): boolean {
    return ["connected", "disconnected"].includes(this.connection.connectionState);
  }

  /**
   * Finds another way to the server, over which the same streams go on (ICE restart, RFC 8445 §9). `servers` relay
   * where nothing else gets through.
   */
  async restart({ ufrag, pwd }: IceCredentials, servers: RTCIceServer[]): Promise<void> {
    await this.#inTurn(async () => {
      if (servers.length > 0) this.connection.setConfiguration({ ...this.connection.getConfiguration(), iceServers: servers });
      this.connection.restartIce();
      // All but the credentials stays as it was agreed upon.
      await this.#agree((answer) =>
        answer.replace(/^a=ice-ufrag:\S+/gm, `a=ice-ufrag:${ufrag}`).replace(/^a=ice-pwd:\S+/gm, `a=ice-pwd:${pwd}`),
      );
    });
  }

  /** Bytes that have come, over all paths. */
  async received(): Promise<number> {
    let bytes = 0;
    (await this.connection.getStats()).forEach((report: { type: string; bytesReceived?: number }) => {
      if (report.type === "candidate-pair") bytes += report.bytesReceived ?? 0;
    });
    return bytes;
  }

  /**
   * Calls `stray` when nothing is heard of the server over the path in use, and `lost` when the connection cannot be had
   * any more, or has been away for {@link AWAY_MS_MAX}.
   */
  onTrouble(stray: () => void, lost: () => void): void {
    let away: ReturnType<typeof setTimeout> | undefined;
    this.connection.addEventListener("connectionstatechange", () => {
      clearTimeout(away);
      const { connectionState } = this.connection;
      if (connectionState === "failed") lost();
      if (connectionState !== "disconnected") return;
      away = setTimeout(lost, AWAY_MS_MAX);
      stray();
    });
  }

  /** The tracks of all voice slots, and of the sound of the screen. */
  voices(): MediaStreamTrack[] {
    return this.#voices.map(({ receiver }) => receiver.track);
  }

  /** A look at what the browser has counted so far. */
  async look(): Promise<Look> {
    return look((await this.connection.getStats()).values(), performance.now());
  }

  /** The section of a camera slot, by which {@link look} knows it. */
  cameraMid(slot: number): string | null {
    return this.#cameras[slot]?.mid ?? null;
  }

  close(): void {
    clearTimeout(this.#looking);
    this.connection.close();
  }
}

/**
 * Encodings for `codec`. Of VP9 and AV1 browsers make one stream with several layers (SVC) unless each encoding is said to
 * have one.
 */
function layersOf(codec: Codec, layers: RTCRtpEncodingParameters[]): RTCRtpEncodingParameters[] {
  return codec === "vp8" ? layers : layers.map((layer) => ({ ...layer, scalabilityMode: "L1T1" }));
}

/** Whose packets a section receives right now: their newest CSRC. */
function sourceOf(section: RTCRtpTransceiver | undefined): number | null {
  const sources = section?.receiver.getContributingSources() ?? [];
  const newest = sources.reduce<RTCRtpContributingSource | null>((a, b) => (a === null || b.timestamp > a.timestamp ? b : a), null);
  return newest?.source ?? null;
}

/** What TypeScript does not know yet (W3C webrtc-extensions §8.2). */
type Encoding = RTCRtpEncodingParameters & { codec?: RTCRtpCodec };

/** A codec as a browser lists it. */
type Capability = Pick<RTCRtpCodec, "mimeType" | "sdpFmtpLine">;

const isMime = (mime: string, one: Capability) => one.mimeType.toLowerCase() === mime;
const isVoice = (one: Capability) => isMime("audio/opus", one) || isMime("audio/red", one);

/** Whether a format is of `codec`, or of VP8, which everybody has, or for retransmissions. */
function isOf(codec: Codec, one: Capability): boolean {
  const { mime, fits } = CODECS[codec];
  return isMime("video/vp8", one) || isMime("video/rtx", one) || (isMime(mime, one) && fits(one.sdpFmtpLine ?? ""));
}

/** Leaves only what is `wanted` in the section, VP8 behind others: an offer of 60 kB instead of 150. */
function prefer(transceiver: RTCRtpTransceiver, wanted: (one: Capability) => boolean, direction: "sendonly" | "recvonly"): void {
  const kind = transceiver.receiver.track.kind;
  const side = direction === "sendonly" ? RTCRtpSender : RTCRtpReceiver;
  const codecs = (side.getCapabilities(kind)?.codecs ?? []).filter(wanted);
  const [vp8, others] = [codecs.filter((one) => isMime("video/vp8", one)), codecs.filter((one) => !isMime("video/vp8", one))];
  const [rtx, first] = [others.filter((one) => isMime("video/rtx", one)), others.filter((one) => !isMime("video/rtx", one))];
  if (codecs.length > 0 && "setCodecPreferences" in transceiver) transceiver.setCodecPreferences([...first, ...vp8, ...rtx]);
}
