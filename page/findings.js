// What a check of a protocol file found, finding by finding.

import { words } from "./view.js";

const KINDS = 12; // kinds of disagreement that are listed at first

function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function table(caption, heads, rows) {
  const head = element("tr", "", ...heads.map((words) => element("th", words)));
  head.querySelectorAll("th").forEach((cell) => { cell.scope = "col"; });
  const body = element("tbody");
  const made = element("table", "", element("caption", caption), element("thead", "", head), body);
  const add = (cells) => body.append(element("tr", "", ...cells.map(
    (cell) => element("td", "", ...(cell instanceof Node ? [cell] : words(cell))))));
  rows.forEach(add);
  const scroll = element("div", "", made);
  scroll.className = "scroll";
  scroll.tabIndex = 0;
  scroll.role = "region";
  scroll.ariaLabel = caption;
  return { scroll, add, body };
}

function decided({ sign, colour, advice, rule }) {
  const made = element("span", "", ...words(`${advice} (${rule})`));
  const mark = element("span", sign);
  mark.className = "sign";
  mark.ariaHidden = "true";
  mark.style.borderColor = colour;
  made.prepend(mark);
  return made;
}

function button(words, action) {
  const made = element("button", words);
  made.type = "button";
  made.addEventListener("click", action);
  return made;
}

// Returns the function that shows one finding of lenadose.walk.own_protocol.
export function showFindings(place, name, walk) {
  const now = element("p", `${name}: Python starts for the check …`);
  now.role = "status";
  place.replaceChildren(now);
  let read, kinds, found = 0;

  const broken = (law) => {
    const { words: here, rules, course, visits, others } = law.counterexample;
    place.append(element("h3", `Law ${law.number}, ${law.name}, is broken`));
    place.append(element("p", law.words));
    place.append(element("p", "Here: ", element("strong", here), `. Rows involved: ${rules.join(", ")}.`));
    const rows = (list) => list.map((visit) => [visit.date, visit.shown, decided(visit)]);
    const heads = ["visit", "shown", "decision"];
    const shows = (caption, list) => place.append(table(`Law ${law.number}: ${caption}`, heads, rows(list)).scroll);
    if (visits.length) shows("the shortest course that breaks it", visits);
    if (others.length) shows("the same patient, with another last visit", others);
    if (course) place.append(element("p", "", button("Walk this course", () => walk(course))));
  };

  const steps = {
    fault({ faults }) {
      now.textContent = `${name} cannot be used:`;
      now.className = "fault";
      place.append(element("ul", "", ...faults.map((words) => element("li", words))));
    },
    read(finding) {
      read = finding;
      place.prepend(element("h3", `${read.name}: ${read.title}`));
      now.textContent = "Proving its laws over every state that a course can reach …";
    },
    laws({ holds, laws, states, transitions, absent }) {
      const bad = laws.filter((law) => !law.holds);
      const outcome = holds ? `All ${laws.length} laws hold` : `${bad.length} of ${laws.length} laws broken`;
      const line = element("p", `${outcome}, over ${states} states and ${transitions} answers, none sampled.`);
      line.className = holds ? "holds" : "fault";
      place.append(line);
      bad.forEach(broken);
      const listed = laws.map(({ words, holds }) => element("li", `${holds ? "" : "Broken: "}${words}`));
      place.append(element("details", "", element("summary", "The laws"), element("ol", "", ...listed)));
      if (absent.length) {
        place.append(element("h3", "What the protocol does not have"));
        place.append(element("ul", "", ...absent.map((words) => element("li", words))));
      }
      now.textContent = `Comparing it with ${read.base} …`;
    },
    differences({ numbers, wording }) {
      place.append(element("h3", `Compared with ${read.base}`));
      if (!numbers.length) place.append(element("p", "No number and no row differs: the two decide alike."));
      const heads = ["place", read.base, read.name];
      const rows = (list) => list.map(({ place, values }) => [place, ...values]);
      if (numbers.length) place.append(table("Numbers and rows that differ", heads, rows(numbers)).scroll);
      if (wording.length) {
        const differing = table("Wording that differs", heads, rows(wording)).scroll;
        const summary = element("summary", `Wording that differs (${wording.length})`);
        place.append(element("details", "", summary, differing));
      }
      if (!numbers.length) return;
      const caption = "Kinds of disagreement on the same visits, each with a shortest course";
      kinds = table(caption, ["what differs", read.base, read.name, "visits", "its course"], []);
      place.append(kinds.scroll);
      now.textContent = "Looking for visits on which the two decide differently …";
    },
    disagreement({ about, decisions, course }) {
      found += 1;
      const [one, other] = about === "next visit"
        ? decisions.map((each) => `${each.next_visit} (${each.rule})`)
        : decisions.map(decided);
      const open = button("Walk", () => walk(course));
      open.ariaLabel = `Walk the course of disagreement ${found}`;
      kinds.add([about, one, other, String(course.visits.length), open]);
      if (found > KINDS) kinds.body.lastChild.hidden = true;
      now.textContent = `Looking for visits on which the two decide differently: ${found} kinds so far …`;
    },
    done() {
      const many = found === 1 ? "1 kind" : `${found || "No"} kinds`;
      now.textContent = kinds ? `Checked. ${many} of disagreement.` : "Checked.";
      if (found > KINDS) {
        const all = button(`Show all ${found}`, () => {
          for (const row of kinds.body.rows) row.hidden = false;
          kinds.body.rows[KINDS].querySelector("button").focus();
          all.remove();
        });
        place.append(element("p", "", all));
      }
    },
  };
  return (finding) => steps[finding.step](finding);
}
