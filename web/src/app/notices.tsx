/** Notices, bottom left. Their region is there before they are, so that screen readers announce them. */

import { useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { CloseIcon, OfflineIcon } from "./icons";
import { attempt, dialog, dismiss, toasts, view } from "./state";
import { CONNECTION_LOST, INVITED } from "./texts";
import { shown } from "./toasts";
import { TestLink } from "./ui";
import type { Toast } from "./toasts";

interface DecisionProps {
  text: ComponentChildren;
  no: { label: string; run(): Promise<unknown> };
  yes: { label: string; run(): Promise<unknown> };
  onDismiss?: () => void;
}

/** A notice that waits for a decision; both buttons rest while one of them is being carried out. */
function Decision({ text, no, yes, onDismiss }: DecisionProps) {
  const [busy, setBusy] = useState(false);
  const decide = async (run: () => Promise<unknown>) => {
    setBusy(true);
    await run();
    setBusy(false);
  };
  return (
    <div class="toast decision">
      <p>{text}</p>
      {onDismiss !== undefined && <button type="button" class="x" aria-label="Dismiss" onClick={onDismiss}><CloseIcon /></button>}
      <div class="choices">
        <button type="button" disabled={busy} onClick={() => void decide(no.run)}>{no.label}</button>
        <button type="button" class="primary" disabled={busy} onClick={() => void decide(yes.run)}>{yes.label}</button>
      </div>
    </div>
  );
}

const done = async () => undefined;

function Notice({ toast }: { toast: Toast }) {
  const gone = () => dismiss(toast.key);
  switch (toast.kind) {
    case "plain":
      return (
        <div class="toast">
          <p>
            {toast.text}
            {toast.detail !== undefined && <small>{toast.detail}</small>}
          </p>
          <button type="button" class="x" aria-label="Dismiss" onClick={gone}><CloseIcon /></button>
        </div>
      );
    case "request": {
      // Decided here or by somebody faster: either way it is not open any more. Without a connection it is.
      const decide = async (deed: "approve" | "decline") => {
        await attempt((room) => room.act(deed, toast.participant));
        if (view.value.connection === "up") gone();
      };
      return (
        <Decision
          text={<><strong>{toast.name}</strong> wants to join the stage</>}
          no={{ label: "Decline", run: () => decide("decline") }}
          yes={{ label: "Bring to stage", run: () => decide("approve") }}
          onDismiss={gone}
        />
      );
    }
    case "invitation":
      return (
        <Decision
          text={<>{INVITED}<small>by {toast.by}</small></>}
          no={{ label: "Decline invitation", run: () => attempt((room) => room.declineInvitation()) }}
          yes={{ label: "Join stage", run: async () => void (dialog.value = { kind: "get-ready" }) }}
        />
      );
    case "unmute":
      return (
        <Decision
          text={toast.text}
          no={{ label: "Not now", run: () => done().then(gone) }}
          yes={{ label: "Unmute", run: () => attempt((room) => room.setMic(true)) }}
        />
      );
    default:
      return toast satisfies never;
  }
}

export function Notices() {
  const { toasts: visible, hidden } = shown(toasts.value);
  return (
    <div class="notices" role="status" aria-live="polite" aria-atomic="false" aria-label="Notices">
      {visible.map((toast) => <Notice key={toast.key} toast={toast} />)}
      {hidden > 0 && <p class="more-notices">{hidden} more in the list</p>}
    </div>
  );
}

/** On top while the connection is lost. */
export function ConnectionBanner() {
  const { phase, connection } = view.value;
  const lost = phase.at === "room" && connection === "lost";
  return (
    <div class="banner" role="status" aria-label="Connection">
      {lost && <p><OfflineIcon />{CONNECTION_LOST}<TestLink /></p>}
    </div>
  );
}
