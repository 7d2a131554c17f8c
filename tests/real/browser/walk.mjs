// A person with a real Chromium: opens pages, logs in, looks around. Reads one task in JSON a line, and answers each with one.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const SIZES = {
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  narrow: { viewport: { width: 320, height: 640 }, isMobile: true, hasTouch: true },
  desktop: { viewport: { width: 1280, height: 800 } },
};
const REFUSES = /\b(cancel|deny|reject|abort|no)\b/i;
const AXE = readFileSync(new URL('node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  timeout: 60_000,
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
    // Nothing outside of this machine is asked for, whatever a page names.
    '--host-resolver-rules=MAP * ~NOTFOUND,EXCLUDE 127.0.0.1',
  ],
});

/** A window of its own, with what happens in it; whoever is at `*.example.com` is played here. */
async function open({ size = 'phone', scheme = 'light', script = true }) {
  const context = await browser.newContext({ ...SIZES[size], colorScheme: scheme, javaScriptEnabled: script, locale: 'en-GB' });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const seen = { context, page, asked: [], errors: [], status: 0, arrived: null };
  page.on('console', (message) => {
    // A full Chromium asks for an icon by itself, whatever the page.
    const isIcon = message.location().url.endsWith('/favicon.ico');
    if (['error', 'warning'].includes(message.type()) && !isIcon) seen.errors.push(message.text());
  });
  page.on('pageerror', (error) => seen.errors.push(String(error)));
  page.on('dialog', (dialog) => { seen.errors.push(`a dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on('request', (request) => seen.asked.push(request.url()));
  page.on('response', (response) => { if (response.request().isNavigationRequest()) seen.status = response.status(); });
  // Not `page.route`: that leaves out what a redirect leads to.
  const session = await context.newCDPSession(page);
  await session.send('Fetch.enable', { patterns: [{ urlPattern: 'https://*.example.com/*' }] });
  session.on('Fetch.requestPaused', async ({ requestId, request }) => {
    seen.arrived ??= request.url;
    const body = Buffer.from('<!doctype html><title>Partner</title><p>Welcome back.').toString('base64');
    await session.send('Fetch.fulfillRequest', { requestId, responseCode: 200, responseHeaders: [{ name: 'content-type', value: 'text/html' }], body });
  });
  return seen;
}

/** A picture, kept where that is asked for; its digest says whether two are the same. */
async function picture(page, file) {
  const octets = await page.screenshot();
  if (file) writeFileSync(file, octets);
  return createHash('sha256').update(octets).digest('hex');
}

/** Logs in and agrees, or declines, until the application is reached or there is nothing left to press. */
async function walk(seen, { url, declines = false, pictures = {} }) {
  const { page } = seen;
  const stops = [];
  await page.goto(url);
  while (!seen.arrived && stops.length < 10) {
    const fields = await page.locator('form input:visible').all();
    const kind = (await page.locator('input[type=password]:visible').count()) ? 'login' : 'consent';
    const button = await press(page, declines && kind === 'consent');
    if (!button) break;
    const rules = await page.evaluate(() => [...document.styleSheets].reduce((sum, sheet) => sum + sheet.cssRules.length, 0));
    stops.push({ kind, url: page.url(), title: await page.title(), rules, digest: await picture(page, pictures[kind]) });
    for (const field of fields) {
      const type = (await field.getAttribute('type')) ?? 'text';
      if (['text', 'email', 'password'].includes(type) && !(await field.inputValue())) await field.pressSequentially('alice');
      if (type === 'checkbox') await field.check();
    }
    await Promise.all([page.waitForEvent('load'), button.click()]);
  }
  const isStuck = !seen.arrived && (await page.locator('form').count()) > 0;
  if (!seen.arrived) await picture(page, pictures.end);
  return { stops, isStuck, referrer: await page.evaluate('document.referrer'), text: await page.evaluate('document.body.innerText') };
}

/** What a person presses to agree; or to decline, which may be a link. */
async function press(page, declines) {
  for (const candidate of await page.locator('form button:not([type=button]):visible, form input[type=submit]:visible, a:visible').all()) {
    const said = `${await candidate.textContent()} ${(await candidate.getAttribute('name')) ?? ''} ${(await candidate.getAttribute('value')) ?? ''}`;
    const isLink = (await candidate.evaluate((element) => element.tagName)) === 'A';
    if (declines ? REFUSES.test(said) : !isLink && !REFUSES.test(said)) return candidate;
  }
  return null;
}

/** Opens one page, and says all that there is to say about it. */
async function look({ page }, { url, picture: file, zoom = 1, script = true }) {
  await page.goto(url);
  const digest = await picture(page, file);
  if (zoom !== 1) await page.evaluate((factor) => { document.documentElement.style.fontSize = `${factor * 100}%`; }, zoom);
  const facts = await page.evaluate(() => ({
    lang: document.documentElement.lang,
    title: document.title,
    headings: [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((heading) => `${heading.tagName.toLowerCase()} ${heading.textContent}`),
    text: document.body.innerText,
    html: document.documentElement.outerHTML,
    scripts: document.scripts.length,
    background: getComputedStyle(document.documentElement).backgroundColor + getComputedStyle(document.body).backgroundColor,
    tooWide: [...document.querySelectorAll('*')].filter((element) => element.scrollWidth > innerWidth || element.scrollWidth > element.clientWidth + 1 && element.clientWidth)
      .map((element) => element.tagName),
    smallest: Math.min(...[...document.querySelectorAll('p, dt, dd, a, code, h1, h2')].map((element) => parseFloat(getComputedStyle(element).fontSize))),
  }));
  await page.keyboard.press('Tab');
  facts.focused = await page.evaluate(() => document.activeElement.href ?? null);
  return { ...facts, ...(script && await examine(page)), digest };
}

/** What axe-core has against a page, and its lowest contrast. */
async function examine(page) {
  const found = await page.evaluate(`${AXE}; axe.run(document)`);
  const checks = (nodes) => nodes.flatMap((node) => node.any).map((check) => check.data?.contrastRatio).filter(Boolean);
  const contrast = found.passes.concat(found.violations).filter((rule) => rule.id === 'color-contrast').flatMap((rule) => checks(rule.nodes));
  return {
    faults: found.violations.concat(found.incomplete).flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html}: ${node.any[0]?.message}`)),
    examined: found.passes.length,
    contrast: Math.min(...contrast),
  };
}

/** Puts an address into a frame of another site. */
async function frame({ page }, { url }) {
  await page.setContent(`<!doctype html><title>Elsewhere</title><iframe src="${url.replaceAll('&', '&amp;')}" width="800" height="500"></iframe>`);
  const inner = page.frames()[1];
  const shown = inner.url().startsWith('http') ? await inner.evaluate('document.body.innerText') : null;
  return { shown };
}

const TASKS = { walk, look, frame };
console.log(JSON.stringify({ version: browser.version() }));
for await (const line of createInterface({ input: process.stdin })) {
  const { task, ...given } = JSON.parse(line);
  const seen = await open(given);
  let answer;
  try {
    answer = await TASKS[task](seen, given);
  } catch (error) {
    answer = { failed: `${seen.page.url()}: ${error}`.slice(0, 600) };
  }
  const { arrived, status, errors, asked } = seen;
  console.log(JSON.stringify({ ...answer, arrived, status, errors, asked }));
  await seen.context.close();
}
await browser.close();
