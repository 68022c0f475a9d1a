// xlwings' own runtime for Python in the browser, in Node: what xlwings Lite does with a cell.
//
//   node lite.mjs PYODIDE WHEEL XLWINGS_SERVER MAIN < calls.json > results.json
//
// PYODIDE: folder of the runtime; WHEEL: chinchilla-xl's; XLWINGS_SERVER: the installed package,
// whose wasm_runtime.py and custom-functions-code.js are run as they are; MAIN: the project's
// main.py. calls.json holds [name, ...arguments], as Office.js delivers them.
import fs from "node:fs";
import path from "node:path";
import vm from "node:vm";
import { pathToFileURL } from "node:url";

const [folder, wheel, server, main] = process.argv.slice(2);
const calls = JSON.parse(fs.readFileSync(0, "utf8"));
const inside = (...names) => fs.readFileSync(path.join(server, ...names), "utf8");

const { loadPyodide } = await import(pathToFileURL(path.join(folder, "pyodide.mjs")));
const python = await loadPyodide({
  indexURL: folder + "/",
  env: { XLWINGS_LICENSE_KEY: process.env.XLWINGS_LICENSE_KEY },
  stdout: () => {},
});
const quiet = { messageCallback() {} };
await python.loadPackage("micropip", quiet);

// The packages are installed as Lite does it, from requirements: numpy and scipy come along.
const wheels = [wheel, ...fs.readdirSync(folder).filter((name) => name.startsWith("xlwings-"))];
for (const name of wheels) {
  const source = path.isAbsolute(name) ? name : path.join(folder, name);
  python.FS.writeFile("/" + path.basename(name), fs.readFileSync(source));
}
python.globals.set("wheels", python.toPy(wheels.map((name) => "emfs:/" + path.basename(name))));
await python.runPythonAsync("import micropip; await micropip.install(wheels)");
const installed = JSON.parse(
  python.runPython("import json; json.dumps(sorted(micropip.list()))"),
);

for (const name of ["config.py", "wasm_runtime.py"]) {
  python.FS.writeFile(name, inside("wasm", name));
}
python.FS.writeFile("custom_functions.py", fs.readFileSync(main));
python.FS.writeFile("custom_scripts.py", "");
await python.runPythonAsync(inside("wasm", "wasm_runtime.py"));

// What Excel and the add-in's page give the client's code.
class ExcelError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}
const associated = {};
Object.assign(globalThis, {
  Office: {
    onReady: async (ready) => ready?.({}),
    context: { requirements: { isSetSupported: () => true } },
  },
  Excel: {
    RequestContext: class {
      workbook = { load() {}, name: "Book1" };
      async sync() {}
    },
  },
  CustomFunctions: {
    associate: (id, implementation) => (associated[id] = implementation),
    ErrorCode: { invalidValue: "#VALUE!" },
    Error: ExcelError,
  },
  xlwings: { getCultureInfoName: async () => "en-US", getDateFormat: async () => "m/d/yyyy" },
  config: { onWasm: true },
  wasmCustomFunctionsCall: python.globals.get("custom_functions_call"),
});
const describe = "json.dumps(xlwings.server.custom_functions_meta(custom_functions))";
const meta = JSON.parse(python.runPython(describe));
const bindings = meta.functions.map(
  ({ id }) =>
    `CustomFunctions.associate("${id}", (...a) => base({ funcName: "${id}", isStreaming: false }, ...a));`,
);
vm.runInThisContext(
  inside("static", "js", "custom-functions", "custom-functions-code.js") + bindings.join("\n"),
);

console.error = () => {};
async function cell(name, args) {
  try {
    return { rows: await associated[name](...args, { address: "Sheet1!B2" }) };
  } catch (error) {
    return { error: error.code ?? String(error), message: error.message };
  }
}
const results = [];
for (const [name, ...args] of calls) results.push(await cell(name, args));
process.stdout.write(JSON.stringify({ installed, meta, results }), () => process.exit(0));
