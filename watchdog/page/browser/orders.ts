// Gives orders to the API with the token that was entered. The token is kept for this tab alone, and sent with nothing but orders.

import type { OrderAccess, Viewed } from "../view/viewed.ts";

const KEPT = "evenkeel-token";

export type OrderNotice = NonNullable<Viewed["notice"]>;

export function access(takesOrders: boolean): OrderAccess {
  if (!takesOrders) return "off";
  return sessionStorage.getItem(KEPT) === null ? "locked" : "open";
}

export function enter(token: string): void {
  sessionStorage.setItem(KEPT, token);
}

export function forget(): void {
  sessionStorage.removeItem(KEPT);
}

/** @param body JSON; undefined: none. @returns what became of it, in one line */
export async function order(path: string, about: string, body: string | undefined): Promise<OrderNotice> {
  const token = sessionStorage.getItem(KEPT) ?? "";
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
  try {
    const response = await fetch(path, { method: "POST", headers, body: body ?? null });
    if (response.ok) return { ok: true, text: `${about}: taken` };
    if (response.status === 403) forget();
    return { ok: false, text: `${about}: ${await reasonOf(response)}` };
  } catch {
    return { ok: false, text: `${about}: the watchdog does not answer` };
  }
}

async function reasonOf(response: Response): Promise<string> {
  const { error, detail } = (await response.json().catch(() => ({}))) as { error?: string; detail?: string };
  return error ?? detail ?? `status ${response.status}`;
}
