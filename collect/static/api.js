// Calls of the service: JSON in and out, the token of the page, refusals as sentences in the visitor's language.
const element = document.getElementById("settings");
export const settings = element ? JSON.parse(element.textContent) : { texts: {} };
const base = `/api/c/${settings.campaign}`;

export class Refused extends Error {
  constructor(status, message, retryAfterS) {
    super(message);
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
  // Worth another try by itself: no connection, too many calls, server in trouble.
  get passes() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export function text(key, values = {}) {
  return (settings.texts[key] || key).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

export async function call(method, path, body, raw = false) {
  const headers = { "X-CSRF-Token": settings.csrf, Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = raw ? "application/octet-stream" : "application/json";
  const payload = body === undefined ? undefined : raw ? body : JSON.stringify(body);
  let answer;
  try {
    answer = await fetch(base + path, { method, headers, body: payload, credentials: "same-origin" });
  } catch {
    throw new Refused(0, text("api_offline"), 5);
  }
  if (answer.ok) return answer.json();
  const wait = Number(answer.headers.get("Retry-After")) || 5;
  if (answer.status === 429) throw new Refused(429, text("api_busy"), wait);
  if (answer.status >= 500) throw new Refused(answer.status, text("api_full"), wait);
  let said = "";
  try {
    said = (await answer.json()).error || "";
  } catch {
    said = "";
  }
  throw new Refused(answer.status, answer.status === 403 ? text("api_old") : said || text("api_failed"), wait);
}

export const soundOf = (clip) => `${base}/clips/${clip}/sound`;
