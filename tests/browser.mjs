// Opens the server's task pane in headless Chromium and computes cells through its real client code.
//
//   node browser.mjs PLAYWRIGHT CHROMIUM ADDRESS RUNTIME < calls.json > results.json
//
// PLAYWRIGHT: the folder of playwright-core; RUNTIME: the version of Office's custom-functions
// runtime that Excel claims to have. calls.json holds [name, ...arguments] as Office.js has them.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const [playwright, executablePath, address, runtime] = process.argv.slice(2);
const { chromium } = createRequire(import.meta.url)(playwright);
const calls = JSON.parse(fs.readFileSync(0, "utf8"));
const here = path.dirname(fileURLToPath(import.meta.url));

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});
try {
  const page = await browser.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.addInitScript((version) => (window.excelRuntime = version), runtime);
  await page.addInitScript(fs.readFileSync(path.join(here, "excel_host.js"), "utf8"));
  // Whatever a page would fetch from elsewhere, it must do without.
  await page.route((url) => url.hostname !== "127.0.0.1", (route) => route.abort());
  const host = encodeURIComponent("Excel$Win32$16.01$en-US$$$$16");
  await page.goto(`${address}/taskpane.html?_host_Info=${host}`);
  const ready = await page.evaluate(() => Office.onReady());
  const associated = await page.evaluate(() => Object.keys(CustomFunctions._association.mappings));
  // All at once, as Excel asks: the client hands over results at intervals of half a second.
  const results = await page.evaluate(
    (all) => Promise.all(all.map(([name, ...args]) => excelCall(name, args))),
    calls,
  );
  process.stdout.write(JSON.stringify({ ready, associated, results, complaints }));
} finally {
  await browser.close();
}
