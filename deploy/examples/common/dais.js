/** The part of the HTTP API of dais that these examples need. `/v1/openapi.json` of a server describes all of it. */

export class Dais {
  /** @param {{ url: string, key: string }} server its address, and the key it was started with (DAIS_API_KEY) */
  constructor({ url, key }) {
    this.url = new URL(url).origin;
    this.key = key;
  }

  /** Makes a room; one that is there already is left as it is. */
  async ensureRoom(room) {
    const { status, body } = await this.#call("POST", "/v1/rooms", room);
    if (status !== 201 && body.code !== "room_exists") throw new Error(`${body.code}: ${body.text}`);
  }

  /** A token for one person: who they are and what they may do is decided here, not in the browser. */
  async token(room, { role, name, identity }) {
    const { status, body } = await this.#call("POST", `/v1/rooms/${room}/tokens`, { role, name, identity, validSeconds: 3600 });
    if (status !== 201) throw new Error(`${body.code}: ${body.text}`);
    return body.token;
  }

  /** The room as it is, with how many are in it; null once it has ended. */
  async report(room) {
    const { status, body } = await this.#call("GET", `/v1/rooms/${room}`);
    if (status === 404 || status === 410) return null;
    if (status !== 200) throw new Error(`${body.code}: ${body.text}`);
    return body;
  }

  /** Ends the session for everyone. */
  async end(room) {
    await this.#call("DELETE", `/v1/rooms/${room}`);
  }

  async #call(method, path, body) {
    const headers = { authorization: `Bearer ${this.key}`, "content-type": "application/json" };
    const request = { method, headers, signal: AbortSignal.timeout(5_000), ...(body && { body: JSON.stringify(body) }) };
    const response = await fetch(this.url + path, request);
    const text = await response.text();
    return { status: response.status, body: text === "" ? {} : JSON.parse(text) };
  }
}
