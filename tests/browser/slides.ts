/** A drawn screen in place of the browser's test pattern, for pictures of the page and for browsers that have no such pattern. */

/** Makes `getDisplayMedia` give a slide on which a line moves once a second, with a tone. Runs in the page. */
export function presentSlides(): void {
  navigator.mediaDevices.getDisplayMedia = () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 1920, height: 1080 });
    const pen = canvas.getContext("2d");
    if (pen === null) throw new Error("no canvas");
    const text = (size: number, fill: string, x: number, y: number, words: string) => {
      pen.font = `600 ${size}px sans-serif`;
      pen.fillStyle = fill;
      pen.fillText(words, x, y);
    };
    const draw = (second: number) => {
      pen.fillStyle = "#f7f5ef";
      pen.fillRect(0, 0, 1920, 1080);
      text(88, "#20304a", 120, 210, "Three years of open data");
      text(40, "#5b6a82", 120, 290, "Downloads by quarter, in thousands");
      [120, 180, 210, 260, 340, 330, 420, 510, 560, 640, 700, 820].forEach((value, n) => {
        const height = value * 0.72;
        pen.fillStyle = n === second % 12 ? "#e2703a" : "#3f6fb5";
        pen.fillRect(140 + n * 140, 980 - height, 96, height);
        text(30, "#5b6a82", 150 + n * 140, 1_026, `Q${(n % 4) + 1}`);
      });
    };
    draw(0);
    let second = 0;
    setInterval(() => draw((second += 1)), 1_000);
    const capture = canvas.captureStream(30);
    const context = new AudioContext();
    const sound = context.createMediaStreamDestination();
    const tone = new OscillatorNode(context, { frequency: 330 });
    tone.connect(new GainNode(context, { gain: 0.1 })).connect(sound);
    tone.start();
    sound.stream.getAudioTracks().forEach((track) => capture.addTrack(track));
    return Promise.resolve(capture);
  };
}
