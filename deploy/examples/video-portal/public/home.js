/** Keeps the live counts of the list; a room that comes or goes loads the page again. */

const INTERVAL_MS = 4_000;
const text = (count) => (count === 0 ? "Nobody here yet" : `${count} ${count === 1 ? "person" : "people"} here`);

async function refresh() {
  const response = await fetch("/rooms.json").catch(() => null);
  if (!response?.ok || response.redirected) return;
  const rooms = await response.json();
  const cards = new Map([...document.querySelectorAll("[data-room]")].map((card) => [card.dataset.room, card]));
  const typing = document.getElementById("title").value !== "";
  const changed = rooms.length !== cards.size || rooms.some(({ id }) => !cards.has(id));
  if (changed && !typing) return location.reload();
  for (const { id, count } of rooms) {
    const line = cards.get(id)?.querySelector(".count");
    if (!line) continue;
    line.textContent = text(count);
    line.classList.toggle("live", count > 0);
  }
}

setInterval(() => void (document.hidden || refresh()), INTERVAL_MS);
