// The page Speak: five sentences, one after the other.
import { call, settings, text } from "./api.js";
import { drain, submit } from "./outbox.js";
import { Recorder } from "./recorder.js";

const $ = (id) => document.getElementById(id);
const meter = $("meter");
let sentences = [];
let states = [];
let at = 0;
let blob = null;
let take = null;
let sent = 0;
let busy = false;

const recorder = new Recorder((level, hot) => {
  meter.firstElementChild.style.inlineSize = `${level}%`;
  meter.setAttribute("aria-valuenow", String(Math.round(level)));
  meter.classList.toggle("hot", hot);
}, settings.longest_s);
recorder.onLimit = () => toggle();

function show(section) {
  for (const id of ["stage", "done", "nothing"]) $(id).hidden = id !== section;
  if (section !== "stage") $(section).focus();
}

function hint(words, bad = false) {
  $("hint").textContent = words;
  $("hint").classList.toggle("bad", bad);
}

function buttons({ recording = false, after = false, doubted = false, wait = false } = {}) {
  $("record").setAttribute("aria-pressed", String(recording));
  $("record-text").textContent = text(recording ? "speak_stop" : "speak_record");
  $("record").hidden = after || doubted || wait;
  $("after").hidden = !after;
  $("doubted").hidden = !doubted;
  $("hear").hidden = !(after || doubted);
  for (const id of ["skip", "report"]) $(id).disabled = recording || wait;
}

function dots() {
  $("dots").replaceChildren(
    ...states.map((state, index) => {
      const dot = document.createElement("li");
      dot.className = index === at ? "now" : state;
      return dot;
    }),
  );
}

function present(words, bad = false) {
  if (at >= sentences.length) return finish();
  dots();
  $("count").textContent = text("speak_count", { number: at + 1, all: sentences.length });
  $("sentence").textContent = sentences[at].text;
  forget();
  hint(words || text("speak_ready"), bad);
  buttons();
  show("stage");
  $("sentence").focus();
}

function forget() {
  if ($("hear").src) URL.revokeObjectURL($("hear").src);
  $("hear").removeAttribute("src");
  blob = take = null;
}

function finish() {
  dots();
  $("done-text").textContent = text("speak_done", { count: sent });
  show("done");
}

async function load() {
  hint("");
  try {
    sentences = (await call("POST", "/tasks?count=5")).sentences;
  } catch (error) {
    if (error.status === 403) return location.assign(`/c/${settings.campaign}`);
    show("stage");
    hint(error.message, true);
    setTimeout(load, 1000 * error.retryAfterS);
    return;
  }
  states = sentences.map(() => "");
  at = 0;
  if (sentences.length) present();
  else show("nothing");
}

async function toggle() {
  if (busy || $("record").hidden) return;
  busy = true;
  try {
    if (recorder.isRunning) await stop();
    else await start();
  } finally {
    busy = false;
  }
}

async function start() {
  const problem = Recorder.problem();
  if (problem) return hint(text(problem), true);
  try {
    await recorder.start();
  } catch {
    return hint(text("speak_no_microphone"), true);
  }
  hint(text("speak_recording"));
  buttons({ recording: true });
}

async function stop() {
  blob = await recorder.stop();
  $("hear").src = URL.createObjectURL(blob);
  hint(text("speak_listen_back"));
  buttons({ after: true });
  $("send").focus();
}

function outbox(count, error) {
  $("outbox").textContent = count && error ? `${error.message} ${text("speak_outbox", { count })}` : "";
}

async function send() {
  if (busy || !blob) return;
  busy = true;
  hint(text("speak_checking"));
  buttons({ wait: true });
  const current = at;
  try {
    const given = await submit(sentences[current].id, blob, (count, error) => {
      outbox(count, error);
      if (error && at === current) later(current); // no connection: go on, it is sent by itself
    });
    given.outcome.then(
      (judged) => tell(current, given.take, judged),
      (error) => at === current && present(error.message, true),
    );
  } finally {
    busy = false;
  }
}

function later(current) {
  states[current] = "ok";
  at = current + 1;
  sent += 1;
  present();
}

function tell(current, id, judged) {
  if (judged.state === "stopped") {
    if (at !== current) return comeBack(current, judged.sentence);
    present(judged.sentence, true);
    return;
  }
  if (judged.state === "asked") {
    at = current;
    $("sentence").textContent = sentences[at].text;
    take = id;
    hint(judged.sentence, true);
    buttons({ doubted: true });
    show("stage");
    $("sure").focus();
    return;
  }
  if (at !== current) return; // it was counted when the connection broke
  states[current] = "ok";
  sent += 1;
  at = current + 1;
  present(text("speak_kept"));
}

// A recording that was sent late did not pass: its sentence comes once more, at the end.
function comeBack(current, words) {
  sentences.push(sentences[current]);
  states.push("");
  if (at >= sentences.length - 1) present(words, true);
  else dots();
}

async function sure() {
  await act(() => call("POST", `/takes/${take}/confirm`), () => {
    states[at] = "ok";
    sent += 1;
    at += 1;
    present(text("speak_kept"));
  });
}

async function act(calls, then) {
  if (busy) return;
  busy = true;
  try {
    await calls();
    then();
  } catch (error) {
    hint(error.message, true);
  } finally {
    busy = false;
  }
}

const next = () => {
  at += 1;
  present();
};

// The clip that was doubted is taken back by recording again: the reader skips to the same sentence anew.
async function again() {
  await act(() => call("POST", `/takes/${take}/discard`), () => present());
}

$("record").addEventListener("click", toggle);
$("redo").addEventListener("click", () => present());
$("send").addEventListener("click", send);
$("again").addEventListener("click", again);
$("sure").addEventListener("click", sure);
$("more").addEventListener("click", load);
$("skip").addEventListener("click", () => act(() => call("POST", `/sentences/${sentences[at].id}/skip`), next));
$("report").addEventListener("click", () => {
  $("why").value = "";
  $("reporting").showModal();
});
$("reporting").addEventListener("close", () => {
  if ($("reporting").returnValue !== "send") return;
  act(() => call("POST", `/sentences/${sentences[at].id}/report`, { reason: $("why").value }), next);
});
document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, textarea, select, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
  if ($("stage").hidden) return;
  const key = event.key.toLowerCase();
  if (key === "r") $("after").hidden && $("doubted").hidden ? toggle() : $("after").hidden ? again() : present();
  else if (key === "p" && blob) $("hear").paused ? $("hear").play() : $("hear").pause();
  else if (key === "s" && !$("skip").disabled) $("skip").click();
  else if (key === "enter" && !event.target.closest("button, a, audio") && !$("after").hidden) send();
});

drain(outbox);
load();
