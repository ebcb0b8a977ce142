// Opens the report in Chromium as its readers do: light and dark, on a desktop, a phone and by keyboard.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const installed = (name) => {
  try {
    return require.resolve(name);
  } catch {
    console.error(`${name} is not installed: npm install --no-package-lock --prefix bench/report/check`);
    process.exit(2);
  }
};
const { chromium } = require(installed('playwright-core'));
const axe = await readFile(installed('axe-core'), 'utf8');

const folder = new URL('../../results/report/', import.meta.url);
// The made-up one has every kind of chart; the real one has the numbers.
const files = ['report', 'made-up'].filter((name) => existsSync(new URL(`${name}.html`, folder)));
if (!files.includes('report')) {
  console.error('there is no report: npm run perf:report');
  process.exit(2);
}

const VIEWS = [
  { name: 'desktop', viewport: { width: 1280, height: 900 } },
  { name: 'phone', viewport: { width: 360, height: 740 } },
];
const SCHEMES = ['light', 'dark'];
const executablePath = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/google-chrome'].find(existsSync);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const faults = [];

try {
  for (const file of files) {
    for (const { name, viewport } of VIEWS) {
      for (const colorScheme of SCHEMES) await checkView(file, `${name}-${colorScheme}`, { viewport, colorScheme });
    }
  }
} finally {
  await browser.close();
}

for (const fault of faults) console.error(`FAULT ${fault}`);
console.log(faults.length === 0 ? 'the report is fine' : `${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;

async function checkView(file, name, options) {
  const view = `${file}-${name}`;
  const page = await browser.newPage(options);
  const note = (text) => faults.push(`${view}: ${text}`);
  page.on('request', (request) => {
    if (!/^(file|data):/.test(request.url())) note(`loads ${request.url()}`);
  });
  page.on('pageerror', (error) => note(error.message));
  await page.goto(new URL(`${file}.html`, folder).href);
  await page.screenshot({ path: fileURLToPath(new URL(`${view}.png`, folder)), fullPage: true });
  await page.evaluate(() => {
    for (const details of document.querySelectorAll('details')) details.open = true;
  });
  await page.evaluate(axe);
  const { violations, passes } = await page.evaluate(() => globalThis.axe.run(document));
  for (const { id, help, nodes } of violations) note(`axe ${id}: ${help} (${nodes.length}, such as ${nodes[0]?.html})`);
  for (const text of await page.evaluate(findLayoutFaults)) note(text);
  const reached = await tabThrough(page, note);
  console.log(
    `${view}: ${passes.length} axe rules passed, ${violations.length} failed; ${reached} elements by keyboard`,
  );
  await page.close();
}

/** Runs in the page: what is too wide, labels that overlap, and charts without a mark. */
function findLayoutFaults() {
  const found = [];
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) found.push(`the page is ${scrollWidth} wide in a window of ${clientWidth}`);
  for (const svg of document.querySelectorAll('svg')) {
    const where = svg.closest('li')?.textContent.split('\n')[0] ?? 'an axis';
    if (svg.querySelectorAll('circle, rect, text').length === 0) found.push(`${where}: an empty chart`);
    const boxes = [...svg.querySelectorAll('text')].map((text) => [text.textContent, text.getBoundingClientRect()]);
    for (const [index, [text, box]] of boxes.entries()) {
      if (box.left < 0 || box.right > clientWidth) found.push(`${where}: the label ${text} is cut`);
      for (const [other, next] of boxes.slice(index + 1)) {
        const apart =
          next.left >= box.right || next.right <= box.left || next.top >= box.bottom || next.bottom <= box.top;
        if (!apart) found.push(`${where}: the labels ${text} and ${other} overlap`);
      }
    }
  }
  for (const element of document.querySelectorAll('.name, .figure, .tiles li, summary')) {
    if (element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== 'inline') {
      found.push(`text is wider than its box: ${element.textContent.slice(0, 60)}`);
    }
  }
  return found;
}

/** Tabs through the page: every link, summary and table that scrolls is reached, and shows that it has the focus. */
async function tabThrough(page, note) {
  const wanted = await page.evaluate(() => document.querySelectorAll('a[href], summary, [tabindex="0"]').length);
  const seen = new Set();
  for (let press = 0; press <= wanted; press += 1) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => {
      const element = document.activeElement;
      if (element === null || element === document.body) return undefined;
      const all = [...document.querySelectorAll('a[href], summary, [tabindex="0"]')];
      return { index: all.indexOf(element), outline: getComputedStyle(element).outlineStyle };
    });
    if (focused === undefined) break;
    seen.add(focused.index);
    if (focused.outline === 'none') note(`element ${focused.index} has the focus and does not show it`);
  }
  if (seen.size < wanted) note(`${wanted - seen.size} of ${wanted} elements are not reached by keyboard`);
  return seen.size;
}
