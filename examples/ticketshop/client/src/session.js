import { reactive } from "vue";
import { ask } from "./api.js";

/** Who is logged in. The token outlives a reload of the page; the account is asked for anew each time. */
export const session = reactive({ token: localStorage.getItem("token") ?? "", account: null });

export function begin({ token, account }) {
  localStorage.setItem("token", token);
  Object.assign(session, { token, account });
}

export function end() {
  localStorage.removeItem("token");
  Object.assign(session, { token: "", account: null });
}

/** Read the account again: its balance has changed, or the page was just opened. */
export async function refresh() {
  if (!session.token) return;
  try {
    session.account = await ask("GET", "/account");
  } catch (problem) {
    if (problem.id === "unauthorized") end(); // the token has expired
    else throw problem;
  }
}
