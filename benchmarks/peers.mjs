// The peers in node: xstate and cql-execution, each given the table and the facts as data on standard input.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import path from "node:path";

const [folder, which] = process.argv.slice(2);
const require = createRequire(path.join(folder, "package.json"));
const NAMES = ["response", "safety", "timing", "trial", "position"];

function xstate({ rows, phases, facts }) {
  const { createMachine, assign, getNextSnapshot } = require("xstate");
  const states = Object.fromEntries(phases.map((phase) => [phase, { on: { visit: [] } }]));
  for (const { rule, phase, after, when } of rows) {
    states[phase].on.visit.push({
      guard: ({ event }) => Object.entries(when).every(([name, words]) => words.includes(event[name])),
      target: after,
      actions: assign({ rule }),
    });
  }
  const machine = createMachine({ context: { rule: "" }, initial: phases[0], states });
  // The snapshot of each phase is made beforehand: less work than to restore it at every visit.
  const at = Object.fromEntries(phases.map((phase) => [phase, machine.resolveState({ value: phase, context: { rule: "" } })]));
  const events = facts.map((each) => ({ type: "visit", ...each }));
  return async () => events.map((event) => getNextSnapshot(machine, at[event.phase], event).context.rule);
}

function cql({ cases, facts }) {
  const { Library, Executor, CodeService, PatientSource } = require("cql-execution");
  const text = (value) => ({ type: "Literal", valueType: "{urn:hl7-org:elm-types:r1}String", value });
  const among = (name, words) => ({
    type: "In",
    operand: [{ type: "ParameterRef", name }, { type: "List", element: words.map(text) }],
  });
  const all = (tests) => tests.reduce((one, other) => ({ type: "And", operand: [one, other] }));
  const caseItem = cases.map(({ rule, when }) => ({
    when: all(Object.entries(when).map(([name, words]) => among(name, words))),
    then: text(rule),
  }));
  const names = ["phase", ...NAMES];
  const string = { type: "NamedTypeSpecifier", name: "{urn:hl7-org:elm-types:r1}String" };
  const library = new Library({
    library: {
      identifier: { id: "Table", version: "1" },
      schemaIdentifier: { id: "urn:hl7-org:elm", version: "r1" },
      usings: { def: [{ localIdentifier: "System", uri: "urn:hl7-org:elm-types:r1" }] },
      parameters: { def: names.map((name) => ({ name, accessLevel: "Public", parameterTypeSpecifier: string })) },
      statements: {
        def: [
          {
            name: "Rule",
            context: "Unfiltered",
            accessLevel: "Public",
            expression: { type: "Case", caseItem, else: { type: "Null" } },
          },
        ],
      },
    },
  });
  const executor = new Executor(library, new CodeService({}));
  const patients = new PatientSource([]);
  return async () => {
    const found = [];
    for (const each of facts) {
      const results = await executor.withParameters(each).exec(patients);
      found.push(results.unfilteredResults.Rule);
      patients.reset?.();
    }
    return found;
  };
}

let run;
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  let told;
  if (run === undefined) {
    run = { xstate, "cql-execution": cql }[which](asked);
    told = `${require(`${which}/package.json`).version}, node ${process.version}`;
  } else if (asked === "answers") {
    told = await run();
  } else {
    const began = process.hrtime.bigint();
    for (let loop = 0; loop < asked; loop++) await run();
    told = Number(process.hrtime.bigint() - began) / 1e9;
  }
  process.stdout.write(JSON.stringify(told) + "\n");
}
