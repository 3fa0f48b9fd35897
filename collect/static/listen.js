// The page Listen: play, then yes or no; a no names its reason, and the misread words where that is the reason.
import { call, settings, soundOf, text } from "./api.js";

const $ = (id) => document.getElementById(id);
const sound = $("sound");
let clips = [];
let heard = false;
let given = 0;
let busy = false;
const words = new Set();

function hint(words_, bad = false) {
  $("hint").textContent = words_;
  $("hint").classList.toggle("bad", bad);
}

async function load() {
  try {
    clips = (await call("GET", "/clips?count=5")).clips;
  } catch (error) {
    if (error.status === 403) return location.assign(`/c/${settings.campaign}`);
    $("stage").hidden = false;
    hint(error.message, true);
    setTimeout(load, 1000 * error.retryAfterS);
    return;
  }
  $("stage").hidden = !clips.length;
  $("nothing").hidden = Boolean(clips.length);
  if (clips.length) present();
  else $("nothing").focus();
}

function present() {
  if (!clips.length) return load();
  heard = false;
  words.clear();
  sound.src = soundOf(clips[0].id);
  $("reasons").hidden = true;
  $("verdict").hidden = false;
  for (const radio of document.querySelectorAll("[name=reason]")) radio.checked = false;
  $("give").disabled = true;
  plain();
  verdict();
  hint("");
  $("sentence").focus();
}

const plain = () => ($("sentence").textContent = clips[0].text);

// The words of the sentence as buttons, for the one who heard another word.
function clickable() {
  const parts = clips[0].text.split(/\s+/).filter(Boolean);
  $("sentence").replaceChildren(
    ...parts.flatMap((word, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = word;
      button.setAttribute("aria-pressed", String(words.has(index)));
      button.addEventListener("click", () => {
        words.has(index) ? words.delete(index) : words.add(index);
        button.setAttribute("aria-pressed", String(words.has(index)));
      });
      return index ? [document.createTextNode(" "), button] : [button];
    }),
  );
  hint(text("listen_words"));
}

function verdict() {
  $("yes").disabled = !heard;
  $("no").disabled = !heard;
}

function playing() {
  $("play-text").textContent = text(sound.paused ? "listen_play" : "listen_pause");
}

async function play() {
  try {
    if (sound.paused) await sound.play();
    else sound.pause();
  } catch {
    failed();
  }
}

function failed() {
  if (!clips.length || !sound.src) return;
  clips.shift(); // withdrawn meanwhile
  present();
}

async function vote(judgement) {
  if (busy) return;
  busy = true;
  try {
    await call("POST", `/clips/${clips[0].id}/votes`, judgement);
    given += 1;
    $("given").textContent = text("listen_given", { count: given });
    clips.shift();
    present();
  } catch (error) {
    if (error.status === 404 || error.status === 409) {
      clips.shift();
      present();
    } else hint(error.message, true);
  } finally {
    busy = false;
  }
}

function ask() {
  if (!heard) return hint(text("listen_first"));
  $("verdict").hidden = true;
  $("reasons").hidden = false;
  document.querySelector("[name=reason]").focus();
}

const reason = () => document.querySelector("[name=reason]:checked")?.value || "";

$("play").addEventListener("click", play);
sound.addEventListener("play", playing);
sound.addEventListener("pause", playing);
sound.addEventListener("error", failed);
sound.addEventListener("ended", () => {
  heard = true;
  playing();
  verdict();
});
$("yes").addEventListener("click", () => vote({ yes: true }));
$("no").addEventListener("click", ask);
$("back").addEventListener("click", present);
$("give").addEventListener("click", () => vote({ yes: false, reason: reason(), words: reason() === "misread" ? [...words] : [] }));
for (const radio of document.querySelectorAll("[name=reason]"))
  radio.addEventListener("change", () => {
    $("give").disabled = !reason();
    if (reason() === "misread") clickable();
    else {
      plain();
      hint("");
    }
  });
document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, select") || event.ctrlKey || event.metaKey || event.altKey || $("stage").hidden) return;
  const key = event.key.toLowerCase();
  if (key === "p") play();
  else if (key === "y") heard && !$("verdict").hidden ? vote({ yes: true }) : hint(text("listen_first"));
  else if (key === "n" && !$("verdict").hidden) ask();
});

load();
