import { session } from "./session.js";

/** What the API answers when it refuses: `id` for the program, `message` for people. */
export class Problem extends Error {
  constructor(id, message) {
    super(message);
    this.id = id;
  }
}

/**
 * Ask the API. Paths are relative to where the page came from: no host name is written down anywhere.
 * `key` names a purchase or a deposit, so that asking again cannot do it twice.
 */
export async function ask(method, path, body, key) {
  const headers = { Accept: "application/json" };
  if (body) headers["Content-Type"] = "application/json";
  if (session.token) headers.Authorization = `Bearer ${session.token}`;
  if (key) headers["Idempotency-Key"] = key;
  let answer;
  try {
    answer = await fetch(`/api${path}`, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Problem("offline", "The shop cannot be reached. Is there a network?");
  }
  const content = answer.status === 204 ? null : await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(content?.id ?? "error", content?.message ?? "Something went wrong in the shop.");
  return content;
}

/** A new key. crypto.randomUUID would need https; this works at http://192.168.… too. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
