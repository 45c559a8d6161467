/** Pages of the event. */

import { documentOf, html, problemText } from "../common/web.js";
import { AGENDA, EVENT, SPEAKERS } from "./event.js";

const top = html`<a class="series" href="/">${EVENT.series}</a><a class="quiet" href="/organiser">For the organiser</a>`;
const frame = (title, body, head) => documentOf({ title, top, body, head });

const agenda = (items) => html`<ol class="agenda">${items.map(({ time, title, text }) => html`<li><time>${time}</time><div><strong>${title}</strong><span>${text}</span></div></li>`)}</ol>`;

export function landingPage({ report, problem }) {
  const count = report === null ? 0 : report.onStage + report.viewers;
  return frame(
    EVENT.title,
    html`<main class="landing">
      <section class="hero">
        <p class="when">${EVENT.when} · online, free</p>
        <h1>${EVENT.title}</h1>
        <p class="lead">${EVENT.text}</p>
        <form class="card" method="post" action="/watch">
          ${count > 0 ? html`<p class="live">Live now · ${count} ${count === 1 ? "person is" : "people are"} here</p>` : ""}
          <label for="name">Your name</label>
          <div class="row"><input id="name" name="name" maxlength="64" autocomplete="name" required placeholder="How others will see you" /><button>Watch the event</button></div>
          ${problemText(problem)}
          <p class="hint">You come in as a viewer. To speak, raise a hand or ask to come on stage.</p>
        </form>
      </section>
      <section class="about">
        <h2>On stage</h2>
        <ul class="speakers">${SPEAKERS.map(({ name, initials, text }) => html`<li><span class="portrait" aria-hidden="true">${initials}</span><div><strong>${name}</strong><span>${text}</span></div></li>`)}</ul>
        <h2>Agenda</h2>
        ${agenda(AGENDA)}
      </section>
    </main>`,
  );
}

export const organiserPage = ({ problem }) =>
  frame(
    "For the organiser",
    html`<main class="narrow"><form class="card" method="post" action="/organiser">
      <h1>For the organiser</h1>
      <label for="name">Your name</label>
      <input id="name" name="name" maxlength="64" autocomplete="name" placeholder="${EVENT.host}" />
      <label for="password">Password</label>
      <input id="password" name="password" type="password" autocomplete="current-password" required />
      ${problemText(problem)}
      <button>Go to the stage</button>
    </form></main>`,
  );

/** The module comes from the dais server, and with it where the room is. */
export const livePage = ({ who, token, server, agenda: items }) =>
  frame(
    `${EVENT.title} · live`,
    html`<main class="watch">
      <div class="heading">
        <h1>${EVENT.title}</h1>
        <p id="state" role="status">Connecting…</p>
        <button id="enter" hidden>Watch now</button>
        <button id="hand" class="second" hidden>Raise hand</button>
      </div>
      <dais-room token="${token}" data-role="${who.role}" aria-label="${EVENT.title}"></dais-room>
      <aside><h2>Agenda</h2>${agenda(items)}</aside>
    </main>`,
    html`<script type="module" src="${server}/dais-room.js"></script><script type="module" src="/public/live.js"></script>`,
  );

export const failedPage = (text) => frame("Not now", html`<main class="narrow"><section class="card"><h1>That did not work</h1><p>${text}</p><a href="/">To the event</a></section></main>`);
