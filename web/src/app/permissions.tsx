/** Who may do what around the stage: a table that hosts change. */

import type { Ability, Allowed, Permissions } from "../sdk";
import { CloseIcon } from "./icons";
import { attempt, view } from "./state";
import { ABILITY_LABELS, ALLOWED_LABELS } from "./texts";
import { Dialog } from "./ui";

const ROWS: [Ability, keyof Permissions][] = [
  ["chat", "chat"],
  ["react", "react"],
  ["raise_hand", "raiseHand"],
  ["answer_polls", "answerPolls"],
  ["quick_poll", "quickPoll"],
  ["present", "present"],
];
const CHOICES: Allowed[] = ["everyone", "speakers", "moderators", "nobody"];

export function PermissionsDialog({ onClose }: { onClose(): void }) {
  const { permissions } = view.value.rules;
  const change = async (ability: Ability, select: HTMLSelectElement, before: Allowed) => {
    const wanted = select.value as Allowed;
    // What was refused is not so.
    if (!(await attempt((room) => room.activities.permit(ability, wanted)))) select.value = before;
  };
  return (
    <Dialog label="Permissions" onClose={onClose}>
      <section class="card small">
        <h1>
          Permissions
          <small>Changes are in force at once, for everyone in the room</small>
        </h1>
        <button type="button" class="round corner" aria-label="Close" onClick={onClose}><CloseIcon /></button>
        <div class="fields">
          {ROWS.map(([ability, key]) => (
            <label key={ability}>
              {ABILITY_LABELS[ability]}
              <select value={permissions[key]} onChange={(event) => void change(ability, event.currentTarget, permissions[key])}>
                {CHOICES.map((choice) => <option key={choice} value={choice}>{ALLOWED_LABELS[choice]}</option>)}
              </select>
            </label>
          ))}
        </div>
        <div class="actions">
          <button type="button" class="primary" onClick={onClose}>Done</button>
        </div>
      </section>
    </Dialog>
  );
}
