/** The page around the room: says how many are here, and offers what a visitor does. */

const room = document.querySelector("dais-room");
const [state, enter, hand] = ["state", "enter", "hand"].map((id) => document.getElementById(id));
const visitor = room.dataset.role === "participant";

const say = (text) => (state.textContent = text);

/** What the server refuses it says in a sentence. */
async function attempt(action) {
  try {
    await action();
  } catch (error) {
    say(error.message);
  }
}

room.addEventListener("ready", () => {
  say(visitor ? "The room is open." : "You come in as the host.");
  enter.hidden = !visitor;
});
room.addEventListener("entered", () => {
  enter.hidden = true;
  hand.hidden = !visitor;
});
room.addEventListener("presencechange", ({ detail }) => say(`${detail.count} ${detail.count === 1 ? "person" : "people"} here`));
room.addEventListener("stagechange", ({ detail }) => (hand.hidden = !visitor || detail.onStage));
for (const name of ["left", "ended", "error"]) {
  room.addEventListener(name, ({ detail }) => {
    say(detail.text);
    enter.hidden = hand.hidden = true;
  });
}

enter.addEventListener("click", () => attempt(() => room.enter("viewer")));
hand.addEventListener("click", () =>
  attempt(async () => {
    await room.raiseHand();
    say("Your hand is raised.");
  }),
);
