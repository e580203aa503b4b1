// The page around the view: it starts Python in a worker and carries messages and files to it.

import { mount } from "./view.js";
import { showFindings } from "./findings.js";

const byId = (id) => document.getElementById(id);
const say = (words) => { byId("status").textContent = words; };
const LARGEST = 4_000_000; // bytes, as the library reads at most

// What a reader can begin a protocol file with.
const SAMPLE = `based_on = "cortes-hernandez-2012"
id = "three-weeks"
version = "0.1"
title = "Reviews every three weeks"

[intervals.review]
value = { weeks = 3 }
provenance = { tag = "assumed", source = "decided here", words = "seen every three weeks" }
`;

// The host of the view: messages in order, and the newest value of a slider only.

const listeners = new Set();
const waiting = [];
let current = null; // what is shown
let busy = true; // until Python is ready
let ownText = null; // the protocol file that decides, if any

function send(message) {
  const last = waiting.at(-1);
  if (last?.set && message.set && last.set.field === message.set.field) waiting.pop();
  waiting.push(message);
  next();
}

function next() {
  if (busy || !waiting.length) return;
  busy = true;
  walker.postMessage({ walk: waiting.shift() });
}

function show(shown) {
  current = shown;
  for (const listener of listeners) listener(shown);
}

const host = {
  send,
  subscribe(listener) {
    listeners.add(listener);
    if (current) listener(current);
    return () => listeners.delete(listener);
  },
};

// Python

const walker = new Worker("worker.js", { type: "module" });
walker.addEventListener("error", (event) => broken(event.message || "the worker did not start"));
walker.addEventListener("message", ({ data }) => {
  if (data.stage) say(`${data.stage} Until then the example below cannot be changed.`);
  if (data.ready) {
    say("Ready.");
    for (const id of ["walk", "tools"]) byId(id).inert = false;
    document.documentElement.dataset.ready = "true";
    busy = false;
    next();
  }
  if (data.shown) {
    busy = false;
    show(data.shown);
    document.documentElement.dataset.took = data.took.toFixed(1);
    next();
  }
  if (data.broken) broken(data.broken);
});

function broken(reason) {
  busy = false;
  say("");
  fault(`Python stopped: ${reason.trim().split("\n").at(-1)}; load the page again`);
}

function fault(words) {
  byId("fault").textContent = words;
}

// A protocol of the reader's own: decided by at once, and checked by a second worker meanwhile.

let checker = null;

function check(name, text) {
  checker?.terminate();
  checker = new Worker("worker.js", { type: "module" });
  const panel = showFindings(byId("findings"), name, (course) => {
    send({ protocol_file: text });
    send({ course });
    byId("walk").scrollIntoView();
  });
  checker.addEventListener("error", () => panel({ step: "fault", faults: ["the check stopped"] }));
  checker.addEventListener("message", ({ data }) => {
    if (data.finding) panel(data.finding);
    if (data.broken) panel({ step: "fault", faults: [data.broken.trim().split("\n").at(-1)] });
    if (["done", "fault"].includes(data.finding?.step)) checker.terminate();
  });
  checker.postMessage({ check: { name, text } });
}

// Files

async function open(file) {
  fault("");
  const bytes = await file.slice(0, LARGEST + 1).arrayBuffer();
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    fault(`${file.name}: is not UTF-8; save it as text in UTF-8`);
    return;
  }
  if (/\.toml$/i.test(file.name)) openProtocol(file.name, text);
  else if (/\.json$/i.test(file.name)) send({ course: text });
  else fault(`${file.name}: is neither a .json nor a .toml file; give a course or a protocol file`);
}

function openProtocol(name, text) {
  ownText = text;
  send({ protocol_file: text });
  check(name, text);
}

byId("open").addEventListener("click", () => byId("file").click());
byId("file").addEventListener("change", async ({ target }) => {
  for (const file of target.files) await open(file);
  target.value = ""; // the same file can be opened again
});
byId("sample").addEventListener("click", () => openProtocol("three-weeks.toml", SAMPLE));
for (const name of ["dragover", "drop"]) {
  document.addEventListener(name, (event) => event.preventDefault());
}
document.addEventListener("drop", async (event) => {
  for (const file of event.dataTransfer.files) await open(file);
});

byId("save").addEventListener("click", () => {
  const text = `${JSON.stringify(current.course, null, 2)}\n`;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = `${current.course.patient?.id ?? "course"}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
byId("print").addEventListener("click", () => window.print());

// Links: the whole patient in the fragment, which a browser does not send.

const through = async (bytes, stream) =>
  new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());

async function packed(data) {
  const bytes = new TextEncoder().encode(JSON.stringify(data));
  const small = await through(bytes, new CompressionStream("deflate-raw"));
  const text = Array.from(small, (byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

async function unpacked(fragment) {
  const text = atob(fragment.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(text, (sign) => sign.charCodeAt(0));
  const whole = await through(bytes, new DecompressionStream("deflate-raw"));
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(whole));
}

byId("link").addEventListener("click", async () => {
  const patient = {
    course: current.course,
    visit: current.visit,
    units: current.units,
    compared: current.protocols.find((protocol) => protocol.compared)?.id ?? null,
  };
  // A protocol of the reader's own goes along: without it the link could not decide alike.
  if (ownText && current.protocols.length > 2) patient.protocol = ownText;
  const link = `${location.href.split("#")[0]}#${await packed(patient)}`;
  history.replaceState(null, "", link);
  byId("address").value = link;
  byId("address-row").hidden = false;
  byId("address").select();
  const copied = await navigator.clipboard?.writeText(link).then(() => true, () => false);
  say(copied ? "The link is copied; it holds the whole patient." : "The link holds the whole patient.");
});

async function follow(fragment) {
  let patient;
  try {
    patient = await unpacked(fragment);
    if (typeof patient !== "object" || !patient?.course) throw new Error("no course");
  } catch {
    fault("the link: does not hold a patient; copy it whole");
    return;
  }
  if (patient.protocol) openProtocol("protocol-of-the-link.toml", patient.protocol);
  send({ units: patient.units });
  send({ course: patient.course });
  send({ visit: patient.visit });
  send({ compare: patient.compared });
}

window.addEventListener("hashchange", () => follow(location.hash.slice(1)));

// The example that was decided when the page was built shows at once, but not in place of a link.

mount(byId("walk"), host);
if (location.hash.length > 1) {
  follow(location.hash.slice(1));
} else {
  const response = await fetch("first.json");
  if (response.ok) {
    const first = await response.json();
    if (!current) show(first);
  }
}
