/** A person's way through the page, in Firefox or Chromium: node journey.mjs BROWSER PROGRAM PAGE < steps.json > told.json */

import { readFileSync } from "node:fs";
import puppeteer from "puppeteer-core";

const PATIENCE = 30_000;
const [browserName, executablePath, home] = process.argv.slice(2);
const steps = JSON.parse(readFileSync(0, "utf8"));
const told = { troubles: [], elsewhere: [], found: [] };

/** What one step of a journey does. Each gets the page and the step's own value. */
const ACTIONS = {
  open: async (page, address) => {
    await page.goto(new URL(address, home).href);
    await page.waitForSelector("html[data-ready]");
  },
  width: (page, width) => page.setViewport({ width, height: 900 }),
  click: (page, selector) => page.locator(selector).click(),
  type: (page, [selector, text]) => page.type(selector, text),
  press: (page, key) => page.keyboard.press(key),
  see: (page, selector) => page.waitForSelector(selector, { visible: true }),
  read: async (page, selector) => told.found.push(await page.$eval(selector, (each) => each.textContent)),
  count: async (page, selector) => told.found.push((await page.$$(selector)).length),
  overflow: async (page) => told.found.push(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)),
};

async function walk(page) {
  for (const [action, value] of steps) {
    try {
      await ACTIONS[action](page, value);
    } catch (error) {
      told.troubles.push(`${action} ${JSON.stringify(value)}: ${error.message}`);
      return;
    }
  }
}

const args = browserName === "chrome" ? ["--no-sandbox"] : [];
const browser = await puppeteer.launch({ browser: browserName, executablePath, args, headless: true });
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.on("console", (message) => ["error", "warn"].includes(message.type()) && told.troubles.push(message.text()));
  page.on("pageerror", (error) => told.troubles.push(error.message));
  page.on("request", (request) => /^(blob|data):/.test(request.url()) || request.url().startsWith(home) || told.elsewhere.push(request.url()));
  await walk(page);
} finally {
  await browser.close();
}
console.log(JSON.stringify(told));
