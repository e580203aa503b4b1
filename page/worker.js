// Python in a worker: it holds the walk and answers messages, or checks a protocol file.
//
// in:  {walk: message}          a message of lenadose.walk.session
//      {check: {name, text}}    a protocol file
// out: {stage: words}           what is being done until it is ready
//      {ready: true}
//      {shown: data, took: ms}  the walk after a message
//      {finding: data}          one finding of a check, by the unit of counts
//      {broken: words}          it cannot go on

import { loadPyodide } from "./pyodide/pyodide.mjs";

const GLUE = `
import json
from functools import reduce
from lenadose.walk import begin_walk, change, shown

walk = reduce(change, json.loads(beginning), begin_walk())
shown(walk)  # the first time takes longest: now, and not after the first change

def answer(message):
    global walk
    walk = change(walk, json.loads(message))
    return json.dumps(shown(walk), ensure_ascii=False)

def findings(name, text):
    # The walk does without it.
    from lenadose.walk.own_protocol import check_own_protocol, in_each_unit

    for finding in check_own_protocol(name, text):
        yield json.dumps(in_each_unit(finding), ensure_ascii=False)
`;

async function start() {
  postMessage({ stage: "Loading Python (14 MB the first time) …" });
  const file = async (name) => {
    const response = await fetch(new URL(name, import.meta.url));
    if (!response.ok) throw new Error(`${name}: ${response.status} ${response.statusText}`);
    return response;
  };
  const built = file("built.json").then((response) => response.json());
  const wheels = built.then(({ wheels }) =>
    Promise.all(wheels.map(async (name) => (await file(`wheels/${name}`)).arrayBuffer())),
  );
  const python = await loadPyodide({ indexURL: new URL("pyodide/", import.meta.url).href });
  postMessage({ stage: "Loading the protocols …" });
  for (const wheel of await wheels) python.unpackArchive(wheel, "wheel");
  python.globals.set("beginning", JSON.stringify((await built).beginning));
  python.runPython(GLUE);
  return {
    answer: python.globals.get("answer"),
    findings: python.globals.get("findings"),
  };
}

const started = start();
started.then(
  () => postMessage({ ready: true }),
  (error) => postMessage({ broken: String(error.message ?? error) }),
);

self.addEventListener("message", async ({ data }) => {
  try {
    const { answer, findings } = await started;
    if (data.walk !== undefined) {
      const begun = performance.now();
      const shown = JSON.parse(answer(JSON.stringify(data.walk)));
      postMessage({ shown, took: performance.now() - begun });
    } else {
      const found = findings(data.check.name, data.check.text);
      for (const finding of found) postMessage({ finding: JSON.parse(finding) });
      found.destroy();
    }
  } catch (error) {
    postMessage({ broken: String(error.message ?? error) });
  }
});
