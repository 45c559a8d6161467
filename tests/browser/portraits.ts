/** Cameras for pictures of the page: a drawn person before a drawn wall, in place of the browser's test pattern. */

/** A script that makes `getUserMedia` give a camera with a portrait in these colours, that moves a little. */
export function portrait(wall: [string, string], shirt: string, skin: string, hair: string, speaks = false): string {
  return `(() => {
    const original = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      const stream = await original(constraints);
      for (const track of stream.getVideoTracks()) { stream.removeTrack(track); track.stop(); }
      if (!constraints.video) return stream;
      if (${String(speaks)}) {
        // A voice that does not stop, in place of the browser's beeps: in syllables, as a steady tone is noise.
        const context = new AudioContext();
        const out = context.createMediaStreamDestination();
        const tone = new OscillatorNode(context, { frequency: 180 });
        const loudness = new GainNode(context, { gain: 0.16 });
        tone.connect(loudness).connect(out);
        const syllables = new OscillatorNode(context, { frequency: 3.5 });
        syllables.connect(new GainNode(context, { gain: 0.15 })).connect(loudness.gain);
        syllables.start();
        tone.start();
        for (const track of stream.getAudioTracks()) { stream.removeTrack(track); track.stop(); }
        out.stream.getAudioTracks().forEach((track) => stream.addTrack(track));
      }
      const canvas = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
      const pen = canvas.getContext("2d");
      const ellipse = (fill, x, y, rx, ry) => { pen.fillStyle = fill; pen.beginPath(); pen.ellipse(x, y, rx, ry, 0, 0, 7); pen.fill(); };
      const draw = (time) => {
        const sway = Math.sin(time / 900) * 8;
        const gradient = pen.createLinearGradient(0, 0, 1280, 720);
        gradient.addColorStop(0, ${JSON.stringify(wall[0])});
        gradient.addColorStop(1, ${JSON.stringify(wall[1])});
        pen.fillStyle = gradient;
        pen.fillRect(0, 0, 1280, 720);
        pen.fillStyle = "rgba(255,255,255,0.05)";
        pen.fillRect(90, 70, 250, 330);
        pen.fillRect(960, 110, 210, 160);
        ellipse(${JSON.stringify(shirt)}, 640 + sway, 800, 330, 280);
        ellipse(${JSON.stringify(skin)}, 640 + sway, 520, 62, 110);
        ellipse(${JSON.stringify(hair)}, 640 + sway, 320, 158, 178);
        ellipse(${JSON.stringify(skin)}, 640 + sway * 1.3, 362, 122, 152);
        ellipse("#1d1a18", 595 + sway * 1.6, 348, 11, 12);
        ellipse("#1d1a18", 685 + sway * 1.6, 348, 11, 12);
        ellipse("rgba(90,30,30,0.75)", 640 + sway * 1.6, 438, 34, 8 + 7 * Math.abs(Math.sin(time / 170)));
      };
      setInterval(() => draw(performance.now()), 40);
      draw(0);
      canvas.captureStream(25).getVideoTracks().forEach((track) => stream.addTrack(track));
      return stream;
    };
  })();`;
}

export const PORTRAITS = {
  maya: portrait(["#34548a", "#1a2a4b"], "#c9d4e8", "#d9a47e", "#3a241a"),
  jonas: portrait(["#5b3f7d", "#2a2140"], "#2f3d4f", "#eabf9f", "#8a5a2b", true),
  lin: portrait(["#2f6b5a", "#17322b"], "#b85c5c", "#e6b58c", "#15120f"),
};
