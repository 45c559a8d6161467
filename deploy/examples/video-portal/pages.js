/** Pages of the portal. */

import { documentOf, html, problemText } from "../common/web.js";

const KINDS = { meeting: "Meeting", webinar: "Webinar" };
const ROLES = { host: "You are the host", participant: "You are a participant" };

const frame = (title, who, body, head = "") =>
  documentOf({
    title,
    top: html`<a class="brand" href="/">Commons</a>${who ? html`<span class="me">${who.name}</span>` : ""}`,
    body,
    head: html`<meta name="color-scheme" content="light dark" />${head}`,
  });

export const loginPage = ({ problem }) =>
  frame(
    "Commons",
    null,
    html`<main class="narrow"><form class="card" method="post" action="/login">
      <h1>Rooms for everyone here</h1>
      <p class="soft">Meet in small, or hold a talk for many.</p>
      <label for="name">Your name</label>
      <input id="name" name="name" maxlength="64" autocomplete="name" required />
      ${problemText(problem)}
      <button>Log in</button>
    </form></main>`,
  );

const people = (count) => (count === 0 ? "Nobody here yet" : `${count} ${count === 1 ? "person" : "people"} here`);

const roomCard = ({ id, title, kind, owner, mine, count }) => html`<li class="card room" data-room="${id}">
  <span class="kind">${KINDS[kind]}</span>
  <h3>${title}</h3>
  <p class="soft">${mine ? "Your room" : `by ${owner}`} · <span class="${count > 0 ? "count live" : "count"}">${people(count)}</span></p>
  <a class="button" href="/rooms/${id}">Open<span class="hidden"> ${title}</span></a>
</li>`;

export const homePage = ({ who, rooms, problem }) =>
  frame(
    "Commons",
    who,
    html`<main class="home">
      <section>
        <h1>Live rooms</h1>
        ${rooms.length === 0 ? html`<p class="soft empty">No room is open. Make the first one.</p>` : html`<ul class="rooms">${rooms.map(roomCard)}</ul>`}
      </section>
      <form class="card make" method="post" action="/rooms">
        <h2>New room</h2>
        <label for="title">Name</label>
        <input id="title" name="title" maxlength="80" required placeholder="Thursday stand-up" />
        <fieldset>
          <legend>Who comes on stage</legend>
          <label class="choice"><input type="radio" name="kind" value="meeting" checked /><span>Everyone<small>Meeting: all can see and hear each other</small></span></label>
          <label class="choice"><input type="radio" name="kind" value="webinar" /><span>Who you let<small>Webinar: others watch, and ask to join</small></span></label>
        </fieldset>
        ${problemText(problem)}
        <button>Create the room</button>
      </form>
    </main>`,
    html`<script type="module" src="/public/home.js"></script>`,
  );

export const roomPage = ({ who, room, role, token, server }) =>
  frame(
    room.title,
    who,
    html`<main class="inside">
      <div class="heading">
        <a href="/">All rooms</a>
        <h1>${room.title}</h1>
        <p id="state" class="soft" role="status">${ROLES[role]}</p>
        ${role === "host" ? html`<form method="post" action="/rooms/${room.id}/end"><button class="second">End for all</button></form>` : ""}
      </div>
      <dais-room token="${token}" room="${room.id}" server="${server}" aria-label="${room.title}"></dais-room>
    </main>`,
    html`<script type="module" src="${server}/dais-room.js"></script><script type="module" src="/public/room.js"></script>`,
  );

export const failedPage = (text) => frame("Commons", null, html`<main class="narrow"><section class="card"><h1>That did not work</h1><p>${text}</p><a href="/">All rooms</a></section></main>`);
