// The view of a walk: it draws what the session shows and sends what the reader does, no more.
//
// mount(element, host): host.send(message) takes a message of lenadose.walk.session, and
// host.subscribe(listener) calls listener(shown) with every answer. One answer comes to each message.
// Every text is set as text, never as HTML.

const STYLE = `
.lw { --ink: #1a1a1a; --quiet: #555; --page: #f5f6f8; --panel: #fff; --edge: #cfd4da; --lit: #e2eefa;
  --link: #005a94; --bad: #a83200; container-type: inline-size; color: var(--ink);
  background: var(--page); font: 15px/1.45 system-ui, sans-serif; text-align: left;
  color-scheme: light; border-radius: 8px; }
@media (prefers-color-scheme: dark) { .lw { --ink: #eceff2; --quiet: #b3bac2; --page: #14171a;
  --panel: #1e2226; --edge: #454c54; --lit: #17344d; --link: #7cc4f5; --bad: #ff9d78;
  color-scheme: dark; } }
[data-jp-theme-light="true"] .lw, .vscode-light .lw { --ink: #1a1a1a; --quiet: #555; --page: #f5f6f8;
  --panel: #fff; --edge: #cfd4da; --lit: #e2eefa; --link: #005a94; --bad: #a83200;
  color-scheme: light; }
[data-jp-theme-light="false"] .lw, .vscode-dark .lw { --ink: #eceff2; --quiet: #b3bac2;
  --page: #14171a; --panel: #1e2226; --edge: #454c54; --lit: #17344d; --link: #7cc4f5;
  --bad: #ff9d78; color-scheme: dark; }
.lw *, .lw *::before { box-sizing: border-box; }
.lw-limits { position: sticky; bottom: 0; z-index: 2; margin: 0; padding: 4px 12px; background: #222;
  color: #fff; font-size: 13px; text-align: center; border-radius: 0 0 8px 8px; }
.lw-bar { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: end; padding: 12px 12px 0; }
.lw-bar label, .lw-next label { display: grid; gap: 2px; font-size: 13px; color: var(--quiet);
  min-width: 0; max-width: 100%; }
.lw select, .lw button, .lw input:not([type="range"]) { font: inherit; font-size: 14px;
  min-height: 32px; max-width: 100%; padding: 3px 10px; border: 1px solid var(--quiet);
  border-radius: 6px; color: var(--ink); background: var(--panel); }
.lw select { width: 15em; } .lw [data-key="example"] { width: 24em; } .lw [data-key="units"] { width: 8em; }
.lw input[type="checkbox"] { min-height: 0; width: 18px; height: 18px; vertical-align: middle; }
.lw button { cursor: pointer; }
.lw button:disabled { opacity: .5; cursor: default; }
.lw :focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.lw-fault { position: sticky; top: 4px; z-index: 3; margin: 12px 12px 0; padding: 8px 12px; border: 1px solid var(--bad);
  border-left-width: 6px; color: var(--bad); background: var(--panel); overflow-wrap: anywhere; }
.lw-fault:empty { display: none; }
.lw-body { display: grid; gap: 12px; padding: 12px; grid-template-columns: minmax(0, 1fr);
  grid-template-areas: "timeline" "card" "fields" "rest"; }
.lw-timeline { grid-area: timeline; } .lw-top { grid-area: card; } .lw-facts { grid-area: fields; }
.lw-rest { grid-area: rest; }
.lw-top, .lw-rest, .lw-pair { display: grid; gap: 12px; grid-template-columns: minmax(0, 1fr);
  align-content: start; }
@container (min-width: 820px) {
  .lw-body { grid-template-columns: minmax(300px, 5fr) minmax(0, 9fr);
    grid-template-rows: auto auto 1fr;
    grid-template-areas: "timeline timeline" "fields card" "fields rest"; }
}
@container (min-width: 1100px) { .lw-beside { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
@container (min-width: 1400px) {
  .lw-pair { grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); align-items: start; }
}
@container (min-width: 1900px) { .lw-body { font-size: 17px; } }
.lw-panel { padding: 12px 14px; border: 1px solid var(--edge); border-radius: 8px;
  background: var(--panel); min-width: 0; }
.lw h2, .lw h3 { margin: 0 0 8px; padding: 0; font-size: 1em; font-weight: 600;
  color: var(--quiet); }
.lw-timeline ol { display: flex; flex-wrap: wrap; gap: 8px; margin: 0; padding: 0; list-style: none; }
.lw-timeline li button { display: grid; text-align: left; height: 100%; padding: 4px 10px;
  border-left: 6px solid var(--tone, var(--quiet)); }
.lw-timeline li button[aria-current] { background: var(--lit); border-color: var(--link);
  border-left-color: var(--tone); font-weight: 600; }
.lw-timeline small, .lw small { color: var(--quiet); font-size: 13px; }
.lw-next { display: flex; flex-wrap: wrap; gap: 8px; align-items: end; margin-top: 8px; }
.lw-beside { display: grid; gap: 12px; }
.lw-card { border-left: 8px solid var(--tone, var(--quiet)); overflow-wrap: anywhere; }
.lw-card .lw-head { margin: 0; font-size: 1.5em; line-height: 1.25; font-weight: 700; }
.lw-card .lw-why { margin: 6px 0; font-size: 1.05em; }
.lw-card .lw-warning { margin: 6px 0; font-weight: 700; color: var(--bad); }
.lw dl { display: grid; grid-template-columns: minmax(6.5em, max-content) minmax(0, 1fr);
  gap: 2px 14px; margin: 6px 0 0; }
/* JupyterLab floats the parts of a list of definitions. */
.lw dt, .lw dd { float: none; width: auto; margin: 0; padding: 0; line-height: inherit; }
.lw dt { font-weight: 600; color: var(--quiet); }
.lw-now { position: sticky; top: 0; z-index: 1; margin: 0; padding: 4px 10px; font-weight: 700;
  border: 1px solid var(--edge); border-left: 6px solid var(--tone, var(--quiet));
  background: var(--panel); }
.lw-whole { white-space: nowrap; }
/* A control that gets the focus is not under what stays in view. */
.lw-facts :is(button, input, summary) { scroll-margin-top: 5em; }
.lw-field { padding: 8px 0; border-top: 1px solid var(--edge); }
.lw-field:first-of-type { border-top: 0; }
.lw-field-head { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 12px; }
.lw-field-head b { font-weight: 600; }
.lw-slide { position: relative; height: 34px; margin: 4px 0 2px; }
.lw-track { position: absolute; inset: 8px 10px; display: flex; height: 18px; border-radius: 4px;
  overflow: hidden; background: var(--edge); forced-color-adjust: none; }
.lw-track span { display: block; overflow: hidden; text-align: center; font-size: 12px;
  line-height: 18px; border-right: 2px solid var(--panel); }
.lw-track span:last-child { border-right: 0; }
.lw-slide input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; padding: 0;
  appearance: none; background: none; cursor: pointer; border: 0; }
.lw-slide input::-webkit-slider-runnable-track { height: 34px; background: none; }
.lw-slide input::-webkit-slider-thumb { appearance: none; width: 20px; height: 34px; border-radius: 5px;
  border: 3px solid #111; background: #ffffffb0; box-shadow: 0 0 0 2px #fff; }
.lw-slide input::-moz-range-track { height: 34px; background: none; }
.lw-slide input::-moz-range-thumb { width: 14px; height: 28px; border-radius: 5px;
  border: 3px solid #111; background: #ffffffb0; box-shadow: 0 0 0 2px #fff; }
.lw-slide.lw-unset input::-webkit-slider-thumb { border-style: dashed; background: #fff4; }
.lw-slide.lw-unset input::-moz-range-thumb { border-style: dashed; background: #fff4; }
.lw-legend { display: flex; flex-wrap: wrap; gap: 0 12px; margin: 0 0 2px; padding: 0;
  list-style: none; font-size: 13px; }
.lw-legend [data-holds="true"] { font-weight: 700; }
.lw-rest > div:empty { display: none; }
.lw-swatch { margin: 1px 0; display: inline-block; min-width: 1.5em; padding: 0 3px; border-radius: 3px;
  text-align: center; font-weight: 400; forced-color-adjust: none; print-color-adjust: exact; }
.lw-chips { display: flex; flex-wrap: wrap; gap: 6px; margin: 4px 0 0; }
.lw-chips button { display: inline-flex; gap: 6px; align-items: center; border-radius: 16px;
  text-align: left; }
.lw-chips button[aria-pressed="true"] { border: 2px solid var(--ink); font-weight: 700;
  background: var(--lit); }
.lw-form { display: flex; flex-wrap: wrap; gap: 8px; align-items: end; margin-top: 6px; }
.lw-form label { display: grid; font-size: 13px; color: var(--quiet); min-width: 0; }
.lw-rows details { border-top: 1px solid var(--edge); padding: 4px 6px; }
.lw-rows summary { cursor: pointer; display: grid; gap: 0 10px;
  grid-template-columns: minmax(0, 1fr) auto; color: var(--quiet); }
.lw-rows [data-lit="true"] { background: var(--lit); border-radius: 4px; }
.lw-rows [data-lit="true"] summary { color: var(--ink); font-weight: 700; }
.lw-rows p { margin: 2px 0; font-size: 14px; }
.lw-changes dl { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
.lw-notes ul { margin: 0; padding-left: 1.2em; }
.lw-picture { overflow-x: auto; }
.lw-picture svg { display: block; width: 100%; min-width: 700px; height: auto; background: #fff; border-radius: 4px; }
.lw-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
@container (max-width: 480px) {
  .lw dl, .lw-changes dl, .lw-rows summary { grid-template-columns: minmax(0, 1fr); }
  .lw dd { margin-bottom: 4px; } .lw .lw-bar select { width: 100%; } .lw-bar label { flex: 1 1 100%; }
}
@media (prefers-reduced-motion: no-preference) { .lw-track span { transition: width .15s; } }
@media print { .lw-bar, .lw-next, .lw-form, .lw-facts button { display: none; } }
`;

const SVG = "http://www.w3.org/2000/svg";

// An element with attributes and children; a function is a listener, a text is text.
function h(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false)
      made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

function svg(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes))
    if (value !== null && value !== "") made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// Black or white, whichever can be read on a colour.
function inkOn(colour) {
  const part = (at) => {
    const value = parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  const light = 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
  return (light + 0.05) / 0.05 > 1.05 / (light + 0.05) ? "#000" : "#fff";
}

function swatch(sign, colour) {
  if (!colour) return null;
  const style = `background:${colour};color:${inkOn(colour)}`;
  return h("span", { class: "lw-swatch", style, "aria-hidden": "true" }, sign);
}

// A text in which no date, dose or result is broken over two lines.
const WHOLE = new RegExp(
  "(\\d{4}-\\d\\d-\\d\\d|\\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?: \\d{4})?" +
    "|(?:[<>≤≥] )?[\\d.]+ (?:× 10[⁹³]/µ?L|/µL|mL/min|mg)\\b)",
);
export function words(text) {
  return text.split(WHOLE).map((piece, at) => (at % 2 ? h("span", { class: "lw-whole" }, piece) : piece));
}

// Fill an element anew only where its data changed, and keep the focus on what has the same key; where
// that is gone, it goes to the first control around it.
const filled = new WeakMap();
function fill(element, data, make) {
  const text = JSON.stringify(data);
  if (filled.get(element) === text) return;
  filled.set(element, text);
  const active = element.ownerDocument.activeElement;
  const key = element.contains(active) ? active.dataset.key : null;
  const open = new Set([...element.querySelectorAll("details[open]")].map((each) => each.dataset.key));
  element.replaceChildren(...make(data));
  for (const details of element.querySelectorAll("details"))
    if (open.has(details.dataset.key)) details.open = true;
  if (!key) return;
  const same = element.querySelector(`[data-key="${CSS.escape(key)}"]:enabled`);
  (same ?? firstControl(element.closest("[role=group], section") ?? element))?.focus({ preventScroll: true });
}

function firstControl(element) {
  const controls = element.querySelectorAll("button:enabled, input:enabled, select:enabled");
  return [...controls].find((each) => each.checkVisibility());
}

function definitions(lines) {
  const parts = lines.flatMap(({ label, words: said }) => [
    h("dt", {}, ...words(label)),
    h("dd", {}, ...words(said)),
  ]);
  return h("dl", {}, ...parts);
}

function card(data, protocol, origin) {
  return h(
    "section",
    { class: "lw-panel lw-card", style: `--tone:${data.colour}`, "aria-label": `Decision of ${protocol}` },
    h("small", {}, ...words([data.day, data.patient, data.hypothetical].filter(Boolean).join(" · "))),
    h("p", { class: "lw-head" }, ...words(data.headline)),
    h("small", {}, data.before),
    ...data.warnings.map((warning) => h("p", { class: "lw-warning" }, ...words(`! ${warning}`))),
    h("p", { class: "lw-why" }, ...words(data.why)),
    definitions([...data.lines, ...origin]),
  );
}

function option(value, label, selected) {
  return h("option", { value, selected }, label);
}

// One slider, whose track shows what each value would lead to.
function track(field) {
  const span = field.most - field.least || 1;
  const place = (value) => Math.min(1, Math.max(0, (value - field.step / 2 - field.least) / span));
  return field.bands.map((band, at) => {
    const left = at ? place(band.from) : 0;
    const right = at + 1 < field.bands.length ? place(band.to) : 1;
    const style = `width:${100 * (right - left)}%;background:${band.colour};color:${inkOn(band.colour)}`;
    return h("span", { style }, band.sign);
  });
}

function legend(bands) {
  return bands.map((band) =>
    h("li", { "data-holds": String(band.holds) }, swatch(band.sign, band.colour), " ", ...words(`${band.words}: ${band.answer}`)),
  );
}

function chips(field, send) {
  return field.chips.map((chip) =>
    h(
      "button",
      {
        type: "button",
        "aria-pressed": String(chip.holds),
        "data-key": `${field.field} ${chip.words}`,
        title: chip.answer,
        click: () => send(chip.value),
      },
      swatch(chip.sign, chip.colour),
      h("span", {}, ...words(chip.words), chip.same ? "" : h("small", {}, `: ${chip.answer}`)),
    ),
  );
}

let count = 0;
const unique = (name) => `lw-${name}-${(count += 1)}`;

// A field keeps its elements, so that a slider is not taken out of the hand that moves it.
function makeField(name, send) {
  const id = unique(name);
  const label = h("b", { id });
  const said = h("span", {});
  const before = h("small", {});
  const range = h("input", { type: "range", "data-field": name, "aria-labelledby": id });
  const bands = h("div", { class: "lw-track", "aria-hidden": "true" });
  const slide = h("div", { class: "lw-slide" }, bands, range);
  const key = h("ul", { class: "lw-legend", id: unique("legend") });
  const choices = h("div", { class: "lw-chips" });
  const extra = h("div", {});
  range.setAttribute("aria-describedby", key.id);
  let field = null;
  const set = (value) => send({ set: { field: name, value } });
  range.addEventListener("input", () => {
    said.textContent = `${range.value} ${field.unit}`;
    set(Number(range.value));
  });
  const element = h(
    "div",
    { class: "lw-field", role: "group", "aria-labelledby": id, "data-name": name },
    h("div", { class: "lw-field-head" }, label, said),
    before,
    slide,
    key,
    choices,
    extra,
  );
  const update = (next, refused) => {
    field = next;
    label.textContent = field.label;
    said.replaceChildren(...words(field.words));
    before.replaceChildren(...words(field.before));
    slide.hidden = field.kind !== "slider";
    slide.style.display = slide.hidden ? "none" : "";
    if (field.kind === "slider") {
      const unset = field.number === null;
      Object.assign(range, { min: field.least, max: field.most, step: field.step });
      range.value = unset ? field.start : field.number;
      slide.classList.toggle("lw-unset", unset);
      const held = field.bands.find((band) => band.holds);
      range.setAttribute("aria-valuetext", held ? `${field.words}: ${held.answer}` : field.words);
    }
    fill(bands, field.kind === "slider" ? field : null, (data) => (data ? track(data) : []));
    fill(key, field.bands, legend);
    fill(choices, field, () => chips(field, set));
    fill(extra, field.terms ? [field.value, field.terms] : field.kind, () => more(field, set));
    if (field.kind === "date") hold(extra.firstChild, field.value, refused);
  };
  return { element, update };
}

// Show a value where it is typed. It is not drawn anew, which would take a reader out of the part of
// a date, and what was refused stays while it is being typed: it may be half of what is meant.
function hold(input, value, refused) {
  if (refused && input === input.ownerDocument.activeElement) return;
  const text = String(value ?? "");
  if (input.value !== text) input.value = text;
}

// What is typed rather than chosen: a date, and an adverse event by its term.
function more(field, set) {
  if (field.kind === "date") {
    const change = (event) => event.target.value && set(event.target.value);
    return [h("input", { type: "date", "aria-label": field.label, "data-key": "date", change })];
  }
  if (!field.terms) return [];
  const list = unique("terms");
  const term = h("input", { list, size: 24, "data-key": "term", autocomplete: "off" });
  const grades = ["", ...field.grades].map((grade) => option(grade, grade === "" ? "none" : grade, false));
  const grade = h("select", { style: "width:6em", "data-key": "grade" }, ...grades);
  const over = h("input", { type: "checkbox", "data-key": "over" });
  const add = () => {
    const event = { term: term.value };
    if (grade.value) Object.assign(event, { grade: Number(grade.value), ctcae: "5.0" });
    if (over.checked) event.resolved = true;
    set([...(field.value ?? []), event]);
  };
  return [
    h(
      "details",
      { "data-key": "other" },
      h("summary", {}, "Another event"),
      h(
        "div",
        { class: "lw-form" },
        h("label", {}, "Term", term),
        h("datalist", { id: list }, ...field.terms.map((each) => option(each.term, each.term, false))),
        h("label", {}, "CTCAE 5.0 grade", grade),
        h("label", {}, "Over", over),
        h("button", { type: "button", click: add, "data-key": "add-event" }, "Add the event"),
      ),
    ),
  ];
}

// The picture, drawn from its layout: areas first, then lines, marks and texts.
const DASHES = { solid: null, dashed: "4 2", dotted: "1 2" };
export function drawPicture(layout) {
  const id = unique("picture");
  const hatches = new Map();
  const hatch = (area) => {
    const key = `${area.hatch}-${area.hatch_colour}`;
    if (!hatches.has(key)) hatches.set(key, pattern(`${id}-${hatches.size}`, area));
    return `url(#${hatches.get(key).id})`;
  };
  const areas = layout.areas.flatMap((area) => {
    const box = { x: area.left, y: area.top, width: area.right - area.left, height: area.bottom - area.top };
    const edge = { stroke: area.edge, "stroke-width": 0.7, "stroke-dasharray": DASHES[area.dash] };
    const filled = svg("rect", { ...box, fill: area.fill, ...(area.edge ? edge : {}) });
    return area.hatch ? [filled, svg("rect", { ...box, fill: hatch(area) })] : [filled];
  });
  const joined = (points) => points.map((point) => point.join(",")).join(" ");
  const lines = layout.lines.map((line) =>
    svg("polyline", { points: joined(line.points), fill: "none", stroke: line.colour, "stroke-width": line.width, "stroke-dasharray": DASHES[line.dash] }),
  );
  const marks = layout.marks.map((mark) =>
    svg("polygon", { points: joined(mark.corners), fill: mark.fill, stroke: mark.edge, "stroke-width": 0.7 }),
  );
  const texts = layout.texts.map((text) =>
    svg(
      "text",
      {
        x: text.x, y: text.y, "font-size": text.size, "text-anchor": text.anchor, fill: text.colour,
        "font-weight": text.bold ? "bold" : null, "paint-order": text.halo ? "stroke" : null,
        stroke: text.halo ? "#fff" : null, "stroke-width": text.halo ? 2 : null,
        // The widths of the letters were those of DejaVu Sans; another font is fitted to them.
        textLength: text.width, lengthAdjust: "spacingAndGlyphs",
      },
      text.words,
    ),
  );
  const title = svg("title", { id: `${id}-title` }, layout.title);
  const desc = svg("desc", { id: `${id}-desc` }, layout.alt);
  const about = { role: "img", "aria-labelledby": `${id}-title`, "aria-describedby": `${id}-desc` };
  const size = { viewBox: `0 0 ${layout.width} ${layout.height}`, "font-family": "DejaVu Sans, Verdana, sans-serif" };
  return svg("svg", { ...size, ...about }, title, desc, svg("defs", {}, ...hatches.values()), ...areas, ...lines, ...marks, ...texts);
}

function pattern(id, area) {
  const strokes = {
    diagonal: ["M0 6L6 0"], cross: ["M0 6L6 0", "M0 0L6 6"], dots: ["M2 3a1 1 0 1 0 2 0a1 1 0 1 0 -2 0"],
  };
  const paths = strokes[area.hatch].map((d) =>
    svg("path", { d, fill: "none", stroke: area.hatch_colour, "stroke-width": 0.5 }),
  );
  return svg("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse" }, ...paths);
}

// Whether a message only moves on what the one before it began.
function replaces(next, last) {
  return Boolean(last?.set && next.set && last.set.field === next.set.field);
}

export function mount(element, host) {
  const part = (tag, name, attributes = {}) => h(tag, { class: name, ...attributes });
  const limits = part("p", "lw-limits");
  const bar = part("div", "lw-bar", { role: "group", "aria-label": "Patient and protocol" });
  const fault = part("p", "lw-fault", { role: "alert" });
  const live = part("p", "lw-hidden", { role: "status", "aria-live": "polite" });
  const timeline = part("section", "lw-panel lw-timeline", { "aria-label": "Visits" });
  const facts = part("section", "lw-panel lw-facts", { "aria-label": "Facts of the visit" });
  const title = h("h2", {});
  const fieldList = h("div", {});
  const patientTitle = h("h2", { style: "margin-top:16px" }, "The patient");
  const patientList = h("div", {});
  const now = part("p", "lw-now", { "aria-hidden": "true" });
  facts.append(title, now, fieldList, patientTitle, patientList);
  const top = part("div", "lw-top");
  const rest = part("div", "lw-rest");
  const missing = h("div", {});
  const picture = h("div", {});
  const changes = part("section", "lw-panel lw-changes", { "aria-label": "What would change it" });
  const rows = part("section", "lw-panel lw-rows", { "aria-label": "Rows of the table" });
  const notes = part("section", "lw-panel lw-notes", { "aria-label": "What else to know" });
  rest.append(missing, picture, h("div", { class: "lw-pair" }, changes, rows), notes);
  const body = h("div", { class: "lw-body" }, timeline, top, facts, rest);
  const root = h("div", { class: "lw" }, h("style", {}, STYLE), bar, fault, live, body, limits);
  element.replaceChildren(root);

  // Of the messages that wait for an answer, a slider's earlier ones are of no interest.
  const queue = [];
  let waiting = false;
  const next = () => {
    if (waiting || !queue.length) return;
    waiting = true;
    host.send(queue.shift());
  };
  const send = (message) => {
    if (replaces(message, queue.at(-1))) queue.pop();
    queue.push(message);
    next();
  };

  const fields = new Map();
  const facets = new Map();
  const fieldsIn = (known, list, shown, make) => {
    const names = shown.map((field) => field.field);
    for (const name of names) if (!known.has(name)) known.set(name, make(name));
    const elements = names.map((name) => known.get(name).element);
    if (elements.some((each, at) => list.children[at] !== each) || list.children.length !== elements.length)
      list.replaceChildren(...elements);
    for (const field of shown) known.get(field.field).update(field, Boolean(latest.fault));
  };

  function render(data) {
    limits.textContent = data.disclaimer;
    fault.textContent = data.fault;
    fill(bar, [data.examples, data.protocols, data.units, data.patient.id], () => tools(data));
    fill(timeline, [data.timeline, data.next], () => visits(data));
    now.style.setProperty("--tone", data.card.colour);
    now.textContent = data.card.headline;
    const chosen = data.timeline[data.visit];
    title.replaceChildren(...words(`Visit ${data.visit + 1} of ${data.timeline.length}, ${chosen.day}: change anything; the colour says what would follow`));
    // While messages wait, what is shown is older than what the hand holds.
    if (!queue.length) {
      fieldsIn(fields, fieldList, data.fields, (name) => makeField(name, send));
      fieldsIn(facets, patientList, data.patient.fields, (name) => makeFacet(name, send));
    }
    fill(top, [data.card, data.origin, data.compared, data.protocol], () => {
      const decided = card(data.card, data.protocol.id, data.origin);
      if (!data.compared) return [decided];
      const other = data.compared.protocol.id;
      const by = (id, made) => h("div", {}, h("h2", {}, `By ${id}`), made);
      return [
        h("div", { class: "lw-beside" }, by(data.protocol.id, decided), by(other, card(data.compared.card, other, []))),
      ];
    });
    fill(missing, data.missing, asked);
    fill(picture, data.picture ?? null, (layout) =>
      layout ? [h("section", { class: "lw-panel lw-picture", "aria-label": "The course", tabindex: "0" }, drawPicture(layout))] : [],
    );
    fill(changes, data.changes, (lines) => [
      h("h2", {}, "What would change it"),
      lines.length ? definitions(lines) : h("p", {}, "Nothing that can be shown at this visit."),
    ]);
    fill(notes, data.notes, (list) => [h("h2", {}, "What else to know"), h("ul", {}, ...list.map((each) => h("li", {}, ...words(each))))]);
    fill(rows, data.rows, (all) => [h("h2", {}, "The rows for this phase"), ...all.map(row)]);
    // A fault is an alert already, and is not said twice.
    const said = data.fault ? "" : `${data.notice ? `${data.notice}. ` : ""}${data.card.headline}. ${data.card.why}`;
    if (live.textContent !== said) live.textContent = said;
  }

  function row(each) {
    return h(
      "details",
      { "data-lit": String(each.lit), "data-key": each.id },
      h(
        "summary",
        {},
        h("span", {}, each.lit ? "Applies: " : "", each.when),
        h("span", {}, swatch(each.sign, each.colour), ` ${each.action}`),
      ),
      h("p", {}, `${each.id} · ${each.words}`),
    );
  }

  function asked(list) {
    if (!list.length) return [];
    const items = list.map((gap) => ({
      label: `${gap.label}: ${gap.why}`,
      words: gap.answers.map((answer) => `${answer.words} → ${answer.answer}`).join(" · "),
    }));
    return [h("section", { class: "lw-panel", "aria-label": "Missing" }, h("h2", {}, "Missing, and what each answer leads to"), definitions(items))];
  }

  function visits(data) {
    const items = data.timeline.map((visit, index) =>
      h(
        "li",
        {},
        h(
          "button",
          {
            type: "button", style: `--tone:${visit.colour}`, "data-key": `visit ${index}`,
            "aria-current": visit.selected ? "step" : null, click: () => send({ visit: index }),
          },
          h("small", { class: "lw-whole" }, visit.day),
          h("span", {}, h("span", { "aria-hidden": "true" }, `${visit.sign} `), visit.headline),
        ),
      ),
    );
    const last = data.timeline.at(-1);
    const date = h("input", { type: "date", value: data.next?.due ?? "", min: last.date, "data-key": "next date" });
    const add = () => send({ add: date.value || null });
    return [
      h("h2", {}, "Visits"),
      h("ol", {}, ...items),
      h(
        "div",
        { class: "lw-next" },
        h("label", {}, "Next visit", date),
        h("button", { type: "button", click: add, "data-key": "add" }, "Add this visit"),
        h("button", { type: "button", click: () => send({ back: true }), "data-key": "back", disabled: data.timeline.length < 2 }, "Take the last visit back"),
      ),
    ];
  }

  function tools(data) {
    const choose = (key) => (event) => send({ [key]: event.target.value || null });
    const example = data.examples.some((each) => each.id === data.patient.id) ? data.patient.id : "";
    const file = h("input", {
      type: "file", accept: ".json,application/json", class: "lw-hidden", tabindex: "-1", "aria-hidden": "true",
      change: async (event) => {
        const [chosen] = event.target.files;
        if (chosen) send({ course: await chosen.text() });
        event.target.value = ""; // the same file can be opened again
      },
    });
    const select = (key, label, options, value) =>
      h("label", {}, label, h("select", { "data-key": key, change: choose(key) }, ...options.map(([id, name]) => option(id, name, id === value))));
    const examples = [["", "choose…"], ...data.examples.map((each) => [each.id, each.title])];
    const protocols = data.protocols.map((each) => [each.id, each.id]);
    const others = data.protocols.filter((each) => !each.decides).map((each) => [each.id, each.id]);
    const units = [["per-litre", "× 10⁹/L"], ["per-microlitre", "per µL"]];
    return [
      select("example", "Example patient", examples, example),
      h("button", { type: "button", "data-key": "begin", click: () => send({ begin: null }) }, "Begin a patient"),
      h("button", { type: "button", "data-key": "open", click: () => file.click() }, "Open a course"),
      file,
      h("button", { type: "button", "data-key": "export", click: exportCourse }, "Export the course"),
      select("protocol", "Protocol", protocols, data.protocols.find((each) => each.decides).id),
      select("compare", "Beside it", [["", "none"], ...others], data.protocols.find((each) => each.compared)?.id ?? ""),
      select("units", "Counts", units, data.units),
    ];
  }

  let latest = null;
  function exportCourse() {
    const text = `${JSON.stringify(latest.course, null, 2)}\n`;
    const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    h("a", { href: url, download: `${latest.patient.id || "course"}.json` }).click();
    URL.revokeObjectURL(url);
  }

  const stop = host.subscribe((data) => {
    latest = data;
    waiting = false;
    render(data);
    next();
  });
  return () => {
    if (typeof stop === "function") stop();
    root.remove();
  };
}

// A fact of the patient: chips, or a whole number.
function makeFacet(name, send) {
  const id = unique(name);
  const label = h("b", { id });
  const said = h("span", {});
  const choices = h("div", { class: "lw-chips" });
  const set = (value) => send({ patient: { [name]: value } });
  const element = h("div", { class: "lw-field", role: "group", "aria-labelledby": id, "data-name": name }, h("div", { class: "lw-field-head" }, label, said), choices);
  const update = (field, refused) => {
    label.textContent = field.label;
    said.textContent = field.words;
    fill(choices, field.kind === "chips" ? field : field.kind, () => {
      if (field.kind === "chips") return chips(field, set);
      const change = (event) => set(event.target.value === "" ? null : Number(event.target.value));
      return [h("input", { type: "number", min: field.least, max: field.most, step: 1, "aria-labelledby": id, "data-key": name, change })];
    });
    if (field.kind === "number") hold(choices.firstChild, field.value, refused);
  };
  return { element, update };
}

// In a notebook the kernel is the host.
export default {
  render({ model, el }) {
    return mount(el, {
      send: (message) => model.send(message),
      subscribe: (listener) => {
        const changed = () => listener(model.get("_shown"));
        model.on("change:_shown", changed);
        changed();
        return () => model.off("change:_shown", changed);
      },
    });
  },
};
