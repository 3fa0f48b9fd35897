// The page's behaviour: send a sound, show its words with times and confidences, play a word when it is clicked.
"use strict";

const state = document.getElementById("state");
const text = document.getElementById("text");
const player = document.getElementById("player");
const speak = document.getElementById("speak");
const drop = document.getElementById("drop");
let recorder = null;
let stopAt = null;

function clock(seconds) {
  const whole = Math.floor(seconds);
  const minutes = String(Math.floor(whole / 60)).padStart(2, "0");
  return `${minutes}:${String(whole % 60).padStart(2, "0")}`;
}

function show(answer) {
  text.replaceChildren();
  for (const segment of answer.segments) {
    const line = document.createElement("p");
    const time = document.createElement("time");
    time.textContent = clock(segment.start_s);
    line.append(time);
    for (const word of segment.words) {
      const one = document.createElement("span");
      one.textContent = word.word;
      one.tabIndex = 0;
      one.dataset.start = word.start_s;
      one.dataset.end = word.end_s;
      one.title = `${word.start_s.toFixed(2)}–${word.end_s.toFixed(2)} s, ${Math.round(100 * word.confidence)} % sure`;
      if (word.confidence < 0.5) one.className = "doubtful";
      else if (word.confidence < 0.9) one.className = "unsure";
      const play = () => {
        player.currentTime = Math.max(0, word.start_s - 0.05);
        stopAt = word.end_s + 0.1;
        player.play();
      };
      one.addEventListener("click", play);
      one.addEventListener("keydown", (event) => { if (event.key === "Enter") play(); });
      line.append(one, " ");
    }
    text.append(line);
  }
  const words = answer.segments.reduce((sum, segment) => sum + segment.words.length, 0);
  state.textContent = answer.problem || `${words} words in ${answer.duration_s.toFixed(1)} s of sound`;
}

async function hear(sound) {
  state.textContent = "Listening …";
  text.replaceChildren();
  player.src = URL.createObjectURL(sound);
  player.hidden = false;
  try {
    const answer = await fetch("hear", { method: "POST", body: sound });
    const found = await answer.json();
    if (answer.ok) show(found);
    else state.textContent = found.problem;
  } catch (error) {
    state.textContent = `The server does not answer: ${error}`;
  }
}

player.addEventListener("timeupdate", () => {
  if (stopAt !== null && player.currentTime >= stopAt) {
    stopAt = null;
    player.pause();
  }
  for (const one of text.querySelectorAll("span")) {
    const now = player.currentTime >= one.dataset.start && player.currentTime < one.dataset.end;
    one.classList.toggle("now", now);
  }
});

document.getElementById("file").addEventListener("change", (event) => {
  if (event.target.files.length) hear(event.target.files[0]);
  event.target.value = ""; // so that the same file may be chosen again
});
drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  if (event.dataTransfer.files.length) hear(event.dataTransfer.files[0]);
});

speak.addEventListener("click", async () => {
  if (recorder) {
    recorder.stop();
    return;
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch (error) {
    state.textContent = `No microphone: ${error.message}`;
    return;
  }
  const pieces = [];
  recorder = new MediaRecorder(stream);
  recorder.addEventListener("dataavailable", (event) => pieces.push(event.data));
  recorder.addEventListener("stop", () => {
    for (const track of stream.getTracks()) track.stop();
    const kind = recorder.mimeType;
    recorder = null;
    speak.textContent = "Speak";
    speak.classList.remove("on");
    hear(new Blob(pieces, { type: kind }));
  });
  recorder.start();
  speak.textContent = "Stop";
  speak.classList.add("on");
  state.textContent = "Speak now …";
});
