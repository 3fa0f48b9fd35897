// Recordings on their way: kept in the browser (IndexedDB) until the server has said what became of them.
// An upload that was interrupted goes on where the server says it is; a recording sent twice is one clip.
import { call, settings } from "./api.js";

const PIECE_BYTES = 65536;
const STORE = "takes";
const waiters = new Map();
let running = false;
let database = null;
const memory = new Map(); // where IndexedDB is not allowed (private windows)

function open() {
  return new Promise((resolve) => {
    if (!("indexedDB" in window)) return resolve(null);
    const asked = indexedDB.open(`collect-${settings.voice}`, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "take" });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => resolve(null);
  });
}

async function within(mode, work) {
  database = database || (await open());
  if (!database) return undefined;
  return new Promise((resolve, reject) => {
    const asked = work(database.transaction(STORE, mode).objectStore(STORE));
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

async function keep(entry) {
  memory.set(entry.take, entry);
  try {
    await within("readwrite", (store) => store.put(entry));
  } catch {
    // the browser's storage is full: the recording is sent from memory
  }
}

async function drop(take) {
  memory.delete(take);
  await within("readwrite", (store) => store.delete(take));
}

async function waiting() {
  const stored = (await within("readonly", (store) => store.getAll())) || [];
  for (const entry of stored) if (!memory.has(entry.take)) memory.set(entry.take, entry);
  return [...memory.values()];
}

async function sha256(bytes) {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function send(entry) {
  let { bytes: there } = await call("GET", `/takes/${entry.take}`);
  while (there < entry.bytes.byteLength) {
    const piece = entry.bytes.slice(there, there + PIECE_BYTES);
    there = (await call("PATCH", `/takes/${entry.take}?offset=${there}`, piece, true)).bytes;
  }
  const said = { sentence: entry.sentence, sha256: await sha256(entry.bytes) };
  return call("POST", `/takes/${entry.take}/finish`, said);
}

const pause = (seconds) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    window.addEventListener("online", () => (clearTimeout(timer), resolve()), { once: true });
  });

// Sends everything that waits, again and again until nothing does. `told` is called with how many wait.
export async function drain(told) {
  if (running) return;
  running = true;
  let tries = 0;
  try {
    for (let left = await waiting(); left.length; left = await waiting()) {
      const entry = left[0];
      let result;
      let error;
      try {
        result = await send(entry);
      } catch (refused) {
        error = refused;
      }
      if (error && error.passes) {
        tries += 1;
        told(left.length, error);
        await pause(Math.min(60, Math.max(error.retryAfterS || 0, 2 ** Math.min(tries, 5))));
        continue;
      }
      tries = 0;
      await drop(entry.take);
      const waiter = waiters.get(entry.take);
      waiters.delete(entry.take);
      if (waiter) error ? waiter.reject(error) : waiter.resolve(result);
      told(left.length - 1, null);
    }
  } finally {
    running = false;
  }
}

// Keeps a recording and sends it; resolves with what the checks say, however long the connection takes.
export async function submit(sentence, blob, told) {
  const entry = { take: crypto.randomUUID(), sentence, bytes: await blob.arrayBuffer() };
  await keep(entry);
  const outcome = new Promise((resolve, reject) => waiters.set(entry.take, { resolve, reject }));
  drain(told);
  return { take: entry.take, outcome };
}
