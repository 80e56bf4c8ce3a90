/** The newest output that was seen in any pane of this browser, by hub and project: for when one is opened again. */

const key = (hub: string, project: string | null): string => `ipyweb.looked ${hub} ${project ?? ""}`;

/** Its id; `null` when nothing was seen there yet. */
export function looked(hub: string, project: string | null): number | null {
  const kept = localStorage.getItem(key(hub, project));
  return kept === null ? null : Number(kept) || 0;
}

export function keepLooked(hub: string, project: string | null, output: number): void {
  if (output > (looked(hub, project) ?? 0)) localStorage.setItem(key(hub, project), String(output));
}

/** Forget it: the hub's ids begin anew. */
export function forgetLooked(hub: string, project: string | null): void {
  localStorage.removeItem(key(hub, project));
}
