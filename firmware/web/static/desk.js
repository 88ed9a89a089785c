// The desk: keys, hook, lamps, status and call list, over one WebSocket of JSON texts.
//
// It shows what the phone says and sends what the person does; whether a key means anything is
// the phone's business. Names and numbers come from strangers: they become text, never markup.

import { Bell } from "./bell.js";
import { Screen } from "./screen.js";
import { Sound, loudness } from "./sound.js";

const find = (id) => document.getElementById(id);
const texts = JSON.parse(find("texts").textContent);
const say = (id, values = {}) =>
  texts[id].replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);

const FULL = 4008;
const GRACE = 2000; // Milliseconds in which the phone may learn that the handset was lifted.
const TALK_STATES = ["off_hook", "calling", "talking", "audio_test"];
const QUALITIES = ["bad", "poor", "fair", "good"]; // As many bars.
const KEYBOARD = {
  ...Object.fromEntries([..."0123456789*#"].map((digit) => [digit, digit])),
  Enter: "ok",
  Escape: "cancel",
  Backspace: "cancel",
  ArrowUp: "up",
  ArrowDown: "down",
  ArrowLeft: "left",
  ArrowRight: "right",
  "+": "volume_up",
  "-": "volume_down",
  m: "mute",
  q: "soft_1",
  w: "soft_2",
  e: "soft_3",
  r: "soft_4",
};

const screen = new Screen(find("screen"));
const bell = new Bell();
const sound = new Sound(() => showSound());
let socket = null;
let pause = 250;
let status = null;
let liftedAt = -GRACE;
let refusal = "";

// ---- The line to the phone ----

function connect() {
  socket = new WebSocket(`ws://${location.host}/live`);
  socket.onopen = () => {
    pause = 250;
  };
  socket.onmessage = ({ data }) => take(JSON.parse(data));
  socket.onclose = ({ code }) => {
    gone(code === FULL ? say("full") : say("lost"));
    setTimeout(reconnect, pause);
    pause = Math.min(pause * 2, 5000);
  };
}

// A server that was started anew does not know our session: say so instead of knocking for ever.
async function reconnect() {
  try {
    const answer = await fetch("/", { method: "HEAD" });
    if (answer.status === 403) {
      gone(say("expired"));
      return;
    }
  } catch {
    // Not there yet; the attempt below will tell.
  }
  connect();
}

function send(request) {
  // What was refused before is answered by trying again.
  showTrouble("");
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(request));
}

function take(message) {
  const takers = {
    link: () => message.up || gone(""),
    said: () => write("said", message.text),
    status: () => showStatus(message.status),
    screen: () => screen.show(message.png),
    lamps: () => showLamps(message.lamps),
    ring: () => bell.ring(message.cadence),
    log: () => showLog(message.rows),
    refused: () => showTrouble(message.text),
  };
  takers[message.event]?.();
}

function gone(text) {
  if (text) write("said", text);
  status = null;
  screen.blank();
  bell.silence();
  showLamps({});
  find("actions").replaceChildren();
  showSigns();
  sound.closeMicrophone();
  showHook(false);
}

// ---- What the phone says ----

function write(id, text) {
  const place = find(id);
  // The same words again would be read aloud again.
  if (place.textContent !== text) place.textContent = text;
}

function showStatus(next) {
  status = next;
  showHook(status.off_hook);
  showActions();
  showSigns();
  showVolume();
  bell.volume = (status.volumes.ringer ?? 70) / 100;
  tendMicrophone();
  document.body.dataset.state = status.state;
}

function showHook(isLifted) {
  const handset = find("handset");
  handset.setAttribute("aria-pressed", String(isLifted));
  handset.setAttribute("aria-label", say(isLifted ? "put_down" : "lift"));
  document.querySelector(".phone").classList.toggle("off-hook", isLifted);
}

function showLamps(lamps) {
  for (const lamp of document.querySelectorAll("[data-lamp]")) {
    const pattern = lamps[lamp.dataset.lamp] ?? "off";
    lamp.dataset.pattern = pattern;
    const words = `${lamp.dataset.name}: ${say(`lamp_${pattern}`)}`;
    lamp.setAttribute("aria-label", words);
    lamp.title = words;
  }
}

function showSigns() {
  const up = status?.calls.filter(({ state }) => state === "talking") ?? [];
  find("secure").hidden = up.length === 0 || !up.every(({ secure }) => secure);
  find("recorded").hidden = !up.some(({ recorded }) => recorded);
  showQuality(up.find(({ held }) => !held)?.quality);
}

function showQuality(quality) {
  const sign = find("quality");
  sign.hidden = !quality;
  if (!quality) return;
  sign.dataset.bars = QUALITIES.indexOf(quality) + 1;
  write("quality-word", say(`quality_${quality}`));
}

function showActions() {
  const wishes = [];
  for (const { id, state, held, recorded } of status.calls) {
    if (state === "ringing_here") {
      wishes.push([say("answer"), { verb: "answer", call: id }, "good"]);
      wishes.push([say("reject"), { verb: "hangup", call: id }, "bad"]);
    } else if (state === "talking") {
      if (held) wishes.push([say("resume"), { verb: "resume", call: id }]);
      else wishes.push([say("hold"), { verb: "hold", call: id }]);
      wishes.push([say(status.muted ? "unmute" : "mute"), { verb: "mute", on: !status.muted }]);
      if (recorded === true) wishes.push([say("record_end"), { verb: "record", on: false, call: id }]);
      if (recorded === false) wishes.push([say("record"), { verb: "record", on: true, call: id }]);
    }
    if (state !== "ringing_here" && state !== "ending") {
      wishes.push([say("hang_up"), { verb: "hangup", call: id }, "bad"]);
    }
  }
  const place = find("actions");
  const key = JSON.stringify(wishes);
  // Rebuilding would take the focus away from somebody who is about to press.
  if (place.dataset.key === key && place.childElementCount === wishes.length) return;
  place.dataset.key = key;
  place.replaceChildren(...wishes.map(([label, request, kind]) => action(label, request, kind)));
}

function action(label, request, kind = "") {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  button.className = kind;
  button.onclick = () => send(request);
  return button;
}

function heardPath() {
  return status?.audio.path ?? "ringer";
}

function showVolume() {
  const slider = find("volume");
  const volume = status.volumes[heardPath()];
  if (volume !== undefined && document.activeElement !== slider) slider.value = volume;
}

function showLog(rows) {
  find("log").replaceChildren(...rows.map(logRow));
  find("log-empty").hidden = rows.length > 0;
}

function logRow({ at, direction, name, user, outcome }) {
  const row = document.createElement("li");
  row.className = outcome;
  const who = name || user || say("unknown");
  const call = document.createElement("button");
  call.type = "button";
  call.textContent = who;
  call.disabled = !user;
  call.setAttribute("aria-label", say("call_back", { who }));
  call.onclick = () => {
    lifted();
    send({ verb: "dial", target: user });
  };
  const outcomes = { missed: "missed", refused: "refused_call", failed: "failed" };
  const how = outcomes[outcome] ?? (outcome === "elsewhere" ? "elsewhere" : "");
  const facts = [name && user !== name ? user : "", how && say(how)].filter(Boolean).join(" · ");
  row.append(
    span(direction === "out" ? "↗" : "↙", "arrow", say(direction === "out" ? "outgoing" : "incoming")),
    call,
    span(facts, "facts"),
    span(moment(at), "when"),
  );
  return row;
}

function span(text, name, label = "") {
  const made = document.createElement("span");
  made.className = name;
  made.textContent = text;
  if (label) {
    made.setAttribute("role", "img");
    made.setAttribute("aria-label", label);
  }
  return made;
}

function moment(seconds) {
  const then = new Date(seconds * 1000);
  const isToday = then.toDateString() === new Date().toDateString();
  const time = { hour: "2-digit", minute: "2-digit" };
  const day = isToday ? {} : { day: "numeric", month: "short" };
  return then.toLocaleString(document.documentElement.lang, { ...day, ...time });
}

// ---- Sound ----

function tendMicrophone() {
  const isTalking = status && (status.off_hook || TALK_STATES.includes(status.state));
  if (isTalking) {
    if (sound.wanted && sound.microphone === "closed") sound.openMicrophone();
  } else if (performance.now() - liftedAt >= GRACE) {
    sound.closeMicrophone();
  }
}

function lifted() {
  liftedAt = performance.now();
  sound.wake();
  sound.openMicrophone();
  setTimeout(tendMicrophone, GRACE + 50);
}

function showSound() {
  write("microphone", say(`microphone_${sound.microphone}`));
  write("loudspeaker", say(`speaker_${sound.speaker}`));
  showTrouble();
  bell.context = sound.context;
}

function showTrouble(words = refusal) {
  refusal = words;
  write("trouble", refusal || (sound.problem ? say(sound.problem) : ""));
}

function showLevels() {
  find("microphone-level").value = loudness(sound.microphoneAnalyser);
  find("loudspeaker-level").value = loudness(sound.analyser);
  if (!document.hidden) setTimeout(() => requestAnimationFrame(showLevels), 60);
}

// ---- What the person does ----

function hook() {
  if (!status) return;
  if (status.off_hook) {
    send({ verb: "hook", move: "down" });
  } else {
    lifted();
    send({ verb: "hook", move: "up" });
  }
}

const down = new Set();

function press(key) {
  if (down.has(key)) return;
  down.add(key);
  send({ verb: "key", key, move: "down" });
  mark(key, true);
}

function release(key) {
  if (!down.delete(key)) return;
  send({ verb: "key", key, move: "up" });
  mark(key, false);
}

function mark(key, isDown) {
  for (const button of document.querySelectorAll("[data-key]")) {
    if (button.dataset.key === key) button.classList.toggle("down", isDown);
  }
}

function wireKey(button) {
  const { key } = button.dataset;
  let byPointer = false;
  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    byPointer = true;
    button.setPointerCapture(event.pointerId);
    press(key);
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
    button.addEventListener(end, () => release(key));
  }
  // A click without a pointer is the keyboard's or a screen reader's.
  button.addEventListener("click", () => {
    if (!byPointer) send({ verb: "key", key });
    byPointer = false;
  });
  button.addEventListener("contextmenu", (event) => event.preventDefault());
}

function keyOf(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return null;
  const at = event.target;
  // What has the focus keeps the keys that it understands itself.
  if (at.matches("button, summary") && event.key === "Enter") return null;
  if (at.matches("[type=range]") && event.key.startsWith("Arrow")) return null;
  return KEYBOARD[event.key] ?? KEYBOARD[event.key.toLowerCase()] ?? null;
}

const held = new Map(); // By place on the keyboard: `#` goes up as `3` if shift goes up first.

function wireKeyboard() {
  addEventListener("keydown", (event) => {
    if (event.repeat) return;
    if (event.key.toLowerCase() === "h" && !event.ctrlKey && !event.metaKey && !event.altKey) {
      hook();
      return;
    }
    const key = keyOf(event);
    if (!key) return;
    event.preventDefault();
    held.set(event.code, key);
    press(key);
  });
  addEventListener("keyup", (event) => {
    if (held.has(event.code)) release(held.get(event.code));
    held.delete(event.code);
  });
  addEventListener("blur", () => {
    for (const key of [...down]) release(key);
    held.clear();
  });
}

function wire() {
  document.querySelectorAll("[data-key]").forEach(wireKey);
  find("handset").onclick = hook;
  // A mouse leaves the focus where it was: Enter after a click must dial, not hang up.
  document.querySelector(".phone").onmousedown = (event) => event.preventDefault();
  find("volume").oninput = ({ target }) => {
    send({ verb: "volume", level: Number(target.value), path: heardPath() });
  };
  find("cancel-echo").onchange = ({ target }) => {
    sound.cancelEcho = target.checked;
    sound.closeMicrophone();
    if (status) tendMicrophone();
  };
  sound.cancelEcho = find("cancel-echo").checked;
  // Any touch lets the page make sound: the bell must be heard before the handset is lifted.
  for (const gesture of ["pointerup", "keydown"]) {
    addEventListener(gesture, () => sound.wake(), { capture: true });
  }
  document.addEventListener("visibilitychange", showLevels);
  wireKeyboard();
}

wire();
showSound();
showLamps({});
showLevels();
connect();

// For whoever looks from outside: a test, or the curious at the console.
window.deskphone = { sound, bell };
