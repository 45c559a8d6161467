/** The page around the room: who is here, and the way back when it is over. */

const room = document.querySelector("dais-room");
const state = document.getElementById("state");
const role = state.textContent;

room.addEventListener("presencechange", ({ detail }) => {
  state.textContent = `${role} · ${detail.count} ${detail.count === 1 ? "person" : "people"} here, ${detail.onStage} on stage`;
});
room.addEventListener("left", () => location.assign("/"));
for (const name of ["ended", "error"]) room.addEventListener(name, ({ detail }) => (state.textContent = detail.text));
