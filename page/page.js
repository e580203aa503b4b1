// The page around the view: it starts Python in a worker and carries messages and files to it.

import { mount } from "./view.js";
import { showFindings } from "./findings.js";

const byId = (id) => document.getElementById(id);
const say = (words) => { byId("status").textContent = words; };
const READY = "Ready: change anything.";
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

// Python in a worker is the host of the view; it answers each message once, in order.

const listeners = new Set();
let current = null; // what is shown
const asked = []; // the messages that wait for their answers

const walker = new Worker("worker.js", { type: "module" });

function ask(message) {
  // What was said of the patient before, and the link to it, are out of date.
  fault("");
  if (!byId("address-row").hidden) {
    byId("address-row").hidden = true;
    say(READY);
  }
  return new Promise((resolve) => {
    asked.push({ start: performance.now(), resolve });
    walker.postMessage({ walk: message });
  });
}

const host = {
  send: ask,
  subscribe(listener) {
    listeners.add(listener);
    if (current) listener(current);
    return () => listeners.delete(listener);
  },
};

function show(shown) {
  const counted = current?.units;
  current = shown;
  for (const listener of listeners) listener(shown);
  if (counted && counted !== shown.units) drawFindings();
}

walker.addEventListener("error", (event) => broken(event.message || "the worker did not start"));
walker.addEventListener("message", ({ data }) => {
  if (data.stage) say(`${data.stage} Until then nothing can be changed.`);
  if (data.ready) {
    say(READY);
    for (const id of ["walk", "tools"]) byId(id).inert = false;
    performance.mark("ready");
  }
  if (data.shown) {
    show(data.shown);
    const { start, resolve } = asked.shift();
    performance.measure("answer", { start });
    resolve(data.shown);
  }
  if (data.broken) broken(data.broken);
});

function broken(reason) {
  say("");
  fault(`Python stopped: ${reason.trim().split("\n").at(-1)}; load the page again`);
}

function fault(words) {
  byId("fault").textContent = words;
}

// A protocol of the reader's own: decided by at once, and checked by a second worker meanwhile.

let checker = null;
let drawFindings = () => {}; // anew, in the reader's unit of counts
let own = null; // the text and the id of the protocol file that was opened last

function check(name, text) {
  checker?.terminate();
  checker = new Worker("worker.js", { type: "module" });
  const walk = (course) => {
    decideBy(text);
    ask({ course });
    byId("walk").focus({ preventScroll: true });
    byId("walk").scrollIntoView();
  };
  const found = [];
  let panel;
  drawFindings = () => {
    panel = showFindings(byId("findings"), name, walk);
    for (const finding of found) panel(finding[current.units]);
  };
  drawFindings();
  const stopped = (words) => panel({ step: "fault", faults: [words] });
  checker.addEventListener("error", () => stopped("the check stopped"));
  checker.addEventListener("message", ({ data: { finding, broken } }) => {
    if (broken) stopped(broken.trim().split("\n").at(-1));
    if (!finding) return;
    found.push(finding);
    panel(finding[current.units]);
    if (["done", "fault"].includes(finding[current.units].step)) checker.terminate();
  });
  checker.postMessage({ check: { name, text } });
}

// Files

async function open(file) {
  fault("");
  const bytes = await file.slice(0, LARGEST + 1).arrayBuffer();
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: file.size > LARGEST });
  } catch {
    fault(`${file.name}: is not UTF-8; save it as text in UTF-8`);
    return;
  }
  if (/\.toml$/i.test(file.name)) openProtocol(file.name, text);
  else if (/\.json$/i.test(file.name)) ask({ course: text });
  else fault(`${file.name}: is neither a .json nor a .toml file; give a course or a protocol file`);
}

async function decideBy(text) {
  const shown = await ask({ protocol_file: text });
  if (!shown.fault) own = { text, id: shown.protocol.id };
  return shown;
}

function openProtocol(name, text) {
  decideBy(text);
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

// Printing: what is printed is measured with the style of print on, and made to fit one sheet of A4.

const SHEET = { width: 186, height: 275, least: 0.6 }; // mm within the margins of page.css

byId("print").addEventListener("click", () => window.print());
window.addEventListener("beforeprint", () => {
  const rules = Array.from(document.styleSheets, (sheet) => Array.from(sheet.cssRules)).flat();
  const media = rules.filter((rule) => rule.media?.mediaText === "print").map((rule) => rule.media);
  for (const each of media) each.mediaText = "all";
  document.body.style.width = `${SHEET.width}mm`;
  const height = (document.body.getBoundingClientRect().height * 25.4) / 96;
  document.body.style.width = "";
  for (const each of media) each.mediaText = "print";
  document.body.style.zoom = Math.max(SHEET.least, Math.min(1, SHEET.height / height));
});
window.addEventListener("afterprint", () => { document.body.style.zoom = ""; });

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
  const { course, visit, units, protocols } = current;
  const compared = protocols.find((protocol) => protocol.compared)?.id ?? null;
  const patient = { course, visit, units, compared };
  // A protocol of the reader's own goes along: without it the link would not decide alike.
  if (own && [current.protocol.id, compared].includes(own.id)) patient.protocol = own.text;
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
    fault("the link: contains no whole patient; copy all of it");
    return;
  }
  const { course, visit, units, compared, protocol } = patient;
  if (protocol && (await decideBy(protocol)).fault) return;
  for (const message of [{ units }, { course }, { visit }, { compare: compared }]) {
    if ((await ask(message)).fault) return; // it stays in view
  }
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
