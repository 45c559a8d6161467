/** What a session was, for its hosts: asked for over HTTP, also when the session is over. */

import type { Role, SessionSummary } from "./protocol.gen";

/** Tables of the summary, for spreadsheets. */
export type SummaryTable = "attendance.csv" | "chat.csv" | "polls.csv";

/** The role in an access token; nothing where it cannot be read. Whether the token is valid, the server says. */
export function roleIn(token: string): Role | null {
  try {
    const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const { role } = JSON.parse(atob(payload)) as { role?: Role };
    return role ?? null;
  } catch {
    return null;
  }
}

async function get(room: string, token: string, table = ""): Promise<Response> {
  const response = await fetch(`/v1/rooms/${encodeURIComponent(room)}/summary${table}`, { headers: { authorization: `Bearer ${token}` } });
  if (response.ok) return response;
  const { text } = (await response.json().catch(() => ({}))) as { text?: string };
  throw new Error(text ?? "The server does not answer.");
}

export async function sessionSummary(room: string, token: string): Promise<SessionSummary> {
  return (await (await get(room, token)).json()) as SessionSummary;
}

export async function summaryTable(room: string, token: string, table: SummaryTable): Promise<Blob> {
  return (await get(room, token, `/${table}`)).blob();
}
