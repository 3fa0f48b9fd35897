// The page Utterances: asks the server for JSON and puts it in as text, never as markup.

import { drawSpectrum, drawWave } from "./picture.js";

const PAGE = 50;
const WAIT_MS = 800;
const of = (id) => document.getElementById(id);
const state = { corpora: [], columns: [], rows: [], offset: 0, count: null, at: -1, row: null, mayDecide: false, asked: 0, action: "" };

/** An element with a class and a text; signs that steer writing or hide are shown as what they are. */
function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) say(made, text);
  return made;
}

function say(target, text) {
  target.textContent = "";
  target.dir = "auto";
  const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;
  for (const part of String(text).split(/([\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff])/)) {
    if (!hidden.test(part)) target.append(part);
    else {
      const mark = document.createElement("span");
      mark.className = "mark";
      mark.textContent = `U+${part.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
      target.append(mark);
    }
  }
}

async function ask(path, options) {
  const answer = await fetch(path, options);
  const said = await answer.json().catch(() => ({}));
  if (answer.status === 202) return { building: true };
  if (!answer.ok) throw new Error(said.problem || said.detail || `the server answers ${answer.status}`);
  return said;
}

const base = () => `api/${encodeURIComponent(of("corpus").value)}/${encodeURIComponent(of("version").value)}`;

function parameters() {
  const found = new URLSearchParams();
  for (const [name, value] of new FormData(of("search"))) if (value && name !== "corpus") found.append(name, value);
  const measure = of("measure").value;
  if (measure && (of("low").value || of("high").value)) found.append("range", `${measure}:${of("low").value}:${of("high").value}`);
  return found;
}

const number = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2));
const shown = (value) => (typeof value === "number" && !Number.isInteger(value) ? number(value) : String(value));
const saysOf = (name) => (state.columns.find((one) => one.name === name) || { says: name }).says;

async function search(offset = 0, choose = 0) {
  const mine = (state.asked += 1);
  const wanted = parameters();
  state.offset = offset;
  remember();
  const query = new URLSearchParams(wanted);
  query.set("offset", offset);
  query.set("limit", PAGE);
  try {
    const found = await ask(`${base()}/rows?${query}`);
    if (mine !== state.asked) return;
    if (found.building) {
      of("told").textContent = "The index of this version is being made; it is needed once.";
      setTimeout(() => mine === state.asked && search(offset, choose), WAIT_MS);
      return;
    }
    state.rows = found.rows;
    list();
    of("csv").href = `${base()}/table.csv?${wanted}`;
    of("told").textContent = "";
    if (found.rows.length) select(choose < 0 ? found.rows.length - 1 : choose);
    else of("one").hidden = true;
    const counted = await ask(`${base()}/count?${wanted}`);
    if (mine !== state.asked) return;
    state.count = counted.count;
    of("told").textContent = `${counted.count.toLocaleString("en")} rows`;
    const last = Math.min(offset + PAGE, counted.count);
    of("page").textContent = counted.count ? `${(offset + 1).toLocaleString("en")}–${last.toLocaleString("en")} of ${counted.count.toLocaleString("en")}` : "";
  } catch (error) {
    if (mine === state.asked) of("told").textContent = error.message;
  }
}

function list() {
  const sort = of("sort").value;
  of("list").replaceChildren(
    ...state.rows.map((row, index) => {
      const button = element("button");
      button.type = "button";
      button.append(element("span", "", row.text || row.text_raw || "(no text)"));
      const meta = element("span", "meta");
      if (!row.accepted) meta.append(element("span", "bad", `refused: ${row.check} `));
      const parts = [row.utterance_id, row.split, row.speaker_id, row.duration_s ? `${number(row.duration_s)} s` : "", ...row.flags];
      if (sort && typeof row[sort] === "number") parts.unshift(`${saysOf(sort)} ${shown(row[sort])}`);
      meta.append(element("span", "", parts.filter(Boolean).join(" · ")));
      button.append(meta);
      button.addEventListener("click", () => select(index));
      const entry = document.createElement("li");
      entry.append(button);
      return entry;
    }),
  );
}

async function select(index) {
  state.at = index;
  const buttons = [...of("list").querySelectorAll("button")];
  buttons.forEach((button, at) => button.setAttribute("aria-current", String(at === index)));
  buttons[index].scrollIntoView({ block: "nearest" });
  const chosen = state.rows[index];
  of("decide").hidden = true;
  of("problem").textContent = "";
  try {
    const row = await ask(`${base()}/row/${chosen.row}`);
    if (state.rows[state.at] !== chosen) return;
    state.row = row;
    show(row);
    remember();
  } catch (error) {
    of("problem").textContent = error.message;
  }
}

function show(row) {
  of("one").hidden = false;
  say(of("said"), row.text || row.text_raw || "(no text)");
  say(of("raw"), row.text && row.text_raw !== row.text ? `in the source: ${row.text_raw}` : "");
  const player = of("player");
  const url = `${base()}/sound/${row.row}`;
  for (const id of ["pictures", "player", "play"]) of(id).hidden = !row.accepted;
  of("no-sound").hidden = row.accepted;
  if (row.accepted) {
    if (player.getAttribute("src") !== url) player.src = url;
    if (of("flow").checked) player.play().catch(() => {});
    draw(url, row);
  } else player.removeAttribute("src");
  const facts = of("facts");
  facts.replaceChildren();
  const left = ["text", "text_raw", "row", "accepted", "decisions", "shard", "row_group", "place", "text_rules"];
  for (const [name, value] of Object.entries(row)) {
    if (left.includes(name) || value === null || value === "" || value.length === 0) continue;
    facts.append(element("dt", "", saysOf(name)), element("dd", name === "reason" || name === "check" ? "bad" : "", Array.isArray(value) ? value.join(" ") : shown(value)));
  }
  of("trace").href = `../lineage?of=${encodeURIComponent(`utterance:${row.utterance_id}`)}`;
  of("trace").hidden = !row.utterance_id;
  decisions(row);
}

function decisions(row) {
  const force = row.decisions.find((one) => one.in_force);
  of("may").hidden = !state.mayDecide;
  of("undo").hidden = !force;
  for (const key of ["f", "c"]) document.querySelector(`[data-key=${key}]`).hidden = !row.accepted;
  of("decisions").replaceChildren(
    ...row.decisions.map((one) => {
      const what = { flag: "flagged as bad", correct: `corrected: ${one.text}`, undo: "undone" }[one.action];
      const entry = element("li", one.in_force ? "good" : "", `${one.at.slice(0, 10)} ${one.by}: ${what}${one.why ? ` (${one.why})` : ""}`);
      return entry;
    }),
  );
}

async function draw(url, row) {
  const answer = await fetch(url);
  const data = await answer.arrayBuffer();
  const ears = new OfflineAudioContext(1, 1, 16000);
  const sound = await ears.decodeAudioData(data).catch(() => null);
  if (state.row !== row || !sound) return;
  const samples = sound.getChannelData(0);
  drawWave(of("wave"), samples, getComputedStyle(document.body).color);
  drawSpectrum(of("spectrum"), samples);
  document.body.dataset.drawn = String(row.row);
}

function step(by) {
  const next = state.at + by;
  if (next >= 0 && next < state.rows.length) select(next);
  else if (by > 0 && state.rows.length === PAGE) search(state.offset + PAGE);
  else if (by < 0 && state.offset > 0) search(Math.max(0, state.offset - PAGE), -1);
}

function openForm(action) {
  if (!state.mayDecide || !state.row || !state.row.accepted) return;
  state.action = action;
  of("decide").hidden = false;
  of("text-label").hidden = action !== "correct";
  of("new-text").value = action === "correct" ? state.row.text : "";
  of("why").value = "";
  of("keep").textContent = action === "correct" ? "Keep the correction" : "Flag it";
  of(action === "correct" ? "new-text" : "why").focus();
}

async function decide(body) {
  const row = state.row;
  try {
    await ask(`${base()}/row/${row.row}/decide`, { method: "POST", headers: { "Content-Type": "application/json", "X-Speechmill": "page" }, body: JSON.stringify(body) });
    of("decide").hidden = true;
    of("problem").textContent = "";
    of("due").hidden = false;
    const fresh = await ask(`${base()}/row/${row.row}`);
    if (state.row === row) decisions((state.row = fresh));
  } catch (error) {
    of("problem").textContent = error.message;
  }
}

const KEYS = {
  j: () => step(1),
  ArrowDown: () => step(1),
  k: () => step(-1),
  ArrowUp: () => step(-1),
  " ": () => (of("player").paused ? of("player").play().catch(() => {}) : of("player").pause()),
  f: () => openForm("flag"),
  c: () => openForm("correct"),
  u: () => state.mayDecide && !of("undo").hidden && decide({ action: "undo" }),
  "/": () => of("text").focus(),
  "[": () => state.offset > 0 && search(Math.max(0, state.offset - PAGE)),
  "]": () => state.rows.length === PAGE && search(state.offset + PAGE),
  "?": () => of("keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea, dialog");
  if (event.key === "Escape" && typing) {
    of("decide").hidden = true;
    event.target.blur();
  }
  if (event.key === "Enter" && event.ctrlKey && !of("decide").hidden) of("decide").requestSubmit();
  const onButton = event.target.closest("button, summary, audio, a") && event.key === " ";
  if (typing || onButton || event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});
for (const button of document.querySelectorAll("[data-key]")) button.addEventListener("click", () => KEYS[button.dataset.key]());
of("show-keys").addEventListener("click", KEYS["?"]);
of("cancel").addEventListener("click", () => (of("decide").hidden = true));
of("decide").addEventListener("submit", (event) => {
  event.preventDefault();
  decide({ action: state.action, why: of("why").value, text: state.action === "correct" ? of("new-text").value : null });
});
of("player").addEventListener("timeupdate", () => {
  const { currentTime, duration } = of("player");
  of("head").hidden = !duration;
  of("head").style.insetInlineStart = `${(100 * currentTime) / (duration || 1)}%`;
});
of("player").addEventListener("play", () => (of("play").textContent = "Stop"));
for (const name of ["pause", "ended", "emptied"]) of("player").addEventListener(name, () => (of("play").textContent = "Play"));
for (const id of ["wave", "spectrum"]) {
  of(id).addEventListener("click", (event) => {
    const box = of(id).getBoundingClientRect();
    of("player").currentTime = ((event.clientX - box.left) / box.width) * (of("player").duration || 0);
  });
}

let timer = 0;
of("search").addEventListener("submit", (event) => event.preventDefault() || search());
of("search").addEventListener("reset", () => setTimeout(() => search()));
of("search").addEventListener("input", (event) => {
  if (event.target.id === "corpus" || event.target.id === "version") return;
  clearTimeout(timer);
  timer = setTimeout(search, 150);
});
of("corpus").addEventListener("change", () => versions() || choices().then(() => search()));
of("version").addEventListener("change", () => choices().then(() => search()));
for (const [name, id] of [["speaker_id", "speakers"], ["donor_id", "donors"]]) {
  const field = document.querySelector(`[name=${name}]`);
  const fill = async () => {
    const found = await ask(`${base()}/values?kind=${name}&begins=${encodeURIComponent(field.value)}`).catch(() => ({ values: [] }));
    of(id).replaceChildren(...(found.values || []).map(([value]) => Object.assign(document.createElement("option"), { value })));
  };
  field.addEventListener("focus", fill);
  field.addEventListener("input", fill);
}

function option(value, text) {
  const made = element("option", "", text);
  made.value = value;
  return made;
}

function versions(wanted) {
  const corpus = state.corpora.find((one) => one.name === of("corpus").value);
  const there = (corpus ? corpus.versions : []).filter((one) => !one.error);
  of("version").replaceChildren(...there.map((one) => option(one.version, `${one.published.slice(0, 10)} ${one.version.slice(0, 8)}${one.current ? " (current)" : ""}`)));
  const first = there.find((one) => one.version === wanted) || there.find((one) => one.current) || there[0];
  if (first) of("version").value = first.version;
  of("due").hidden = !(corpus && corpus.due);
}

async function choices() {
  for (const field of document.querySelectorAll("[data-values]")) {
    const kept = field.value;
    const found = await ask(`${base()}/values?kind=${field.dataset.values}`).catch(() => ({}));
    field.replaceChildren(option("", "any"), ...(found.values || []).map(([value, count]) => option(value, `${value} (${count.toLocaleString("en")})`)));
    field.value = kept;
  }
}

/** What is looked at stands in the address, so that it can be handed on. */
function remember() {
  const said = parameters();
  said.set("corpus", of("corpus").value);
  said.set("version", of("version").value);
  if (state.offset) said.set("offset", state.offset);
  const on = [...said.keys()].filter((key) => !["corpus", "version", "text", "sort", "down", "offset"].includes(key)).length;
  of("filters-on").textContent = on ? `(${on})` : "";
  history.replaceState(null, "", `#${said}`);
}

async function begin() {
  const told = new URLSearchParams(location.hash.slice(1));
  const [guest, there] = await Promise.all([ask("api/visitor"), ask("api/corpora")]);
  state.mayDecide = guest.may_decide;
  state.corpora = there.corpora;
  state.columns = there.columns;
  for (const column of there.columns) {
    of("sort").append(option(column.name, column.says));
    if (column.number) of("measure").append(option(column.name, column.says));
  }
  of("corpus").replaceChildren(...there.corpora.map((one) => option(one.name, one.name)));
  if (!there.corpora.length) {
    of("told").textContent = "No corpus is published yet: start corpus_refresh with the form of its DAG.";
    return;
  }
  if (told.get("corpus")) of("corpus").value = told.get("corpus");
  versions(told.get("version"));
  await choices();
  for (const [name, value] of told) {
    const field = of("search").elements.namedItem(name);
    if (field && field.type === "checkbox") field.checked = value === "1";
    else if (field && name !== "corpus" && name !== "version") field.value = value;
    if (name === "range") [of("measure").value, of("low").value, of("high").value] = value.split(":");
  }
  if ([...told.keys()].some((key) => !["corpus", "version", "text", "sort", "down", "offset"].includes(key))) of("filters").open = true;
  await search(Number(told.get("offset")) || 0);
}

begin().catch((error) => (of("told").textContent = error.message));
