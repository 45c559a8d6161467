/** What links that carry a role have in common, however people get them. */

import type { Role } from "../sdk";
import { entry } from "./state";

/** The role most links are made for stands first; only a host makes hosts. */
export const ROLES: Role[] = ["speaker", "moderator", "participant", "host"];

/** The address that lets in whoever has `token`. */
export const address = (token: string) => `${location.origin}/r/${encodeURIComponent(entry.value?.room.id ?? "")}#token=${token}`;
