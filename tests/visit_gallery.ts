/**
 * Opens a page of many adapters in a browser, uses it as a reader does, and prints as JSON what it shows. Run by
 * `gallery_page_test.ts` as `visit_gallery.ts BROWSER URL`.
 */
import { setTimeout as delay } from "node:timers/promises";
import { chromium, type Page } from "playwright-core";
import { inaccessibleIn } from "./inaccessible.ts";

/** Rows that are shown after each step, by their anchors, and other things that were seen. */
export interface GalleryVisit {
  /** First, without an address. */
  readonly first: readonly string[];
  /** Sorted by the cache's gain, and the other way round. */
  readonly byGain: readonly [descending: readonly string[], ascending: readonly string[]];
  /** The claims' rows and the full results, in that order too. */
  readonly alike: boolean;
  /** The state that assistive technology gets of that column. */
  readonly ariaSort: string | null;
  /** With words in the field. */
  readonly filtered: readonly string[];
  /** The address then, from the hash on. */
  readonly address: string;
  /** On another visit to that address. */
  readonly again: readonly string[];
  /** After a click on the first adapter: rows, whether its full result is open, charts that are drawn in it. */
  readonly one: { readonly rows: readonly string[]; readonly open: boolean; readonly charts: number };
  /** With words that no row has: rows, and what is said. */
  readonly none: readonly [rows: number, said: string];
  /** On a phone in the dark: whether nothing is wider than the screen, and names stand first. */
  readonly fits: boolean;
  readonly nameFirst: boolean;
  /** What axe-core finds serious or critical, on a desktop in light and on a phone in dark. */
  readonly inaccessible: readonly string[];
  /** What stood in the console, was thrown, or could not be loaded. */
  readonly messages: readonly string[];
}

const shown = (table: string) =>
  `[...document.querySelectorAll("${table} [data-adapter]")].filter((each) => !each.hidden)
    .map((each) => each.dataset.adapter)`;

async function visit(executablePath: string, url: string): Promise<GalleryVisit> {
  const browser = await chromium.launch({ executablePath });
  try {
    const messages: string[] = [];
    const open = async (page: Page, address: string) => {
      page.on("console", (message) => messages.push(message.text()));
      page.on("pageerror", (error) => messages.push(String(error)));
      page.on("requestfailed", (request) => messages.push(request.url()));
      await page.goto(address);
      return page;
    };
    const desktop = await browser.newContext({ viewport: { width: 1280, height: 900 }, offline: true });
    const page = await open(await desktop.newPage(), url);
    const inaccessible = await inaccessibleIn(page);
    const rows = () => page.evaluate<string[]>(shown("#gallery"));
    /** Waits ten seconds at most: the page's policy forbids Playwright's own way. */
    const until = async (expression: string) => {
      for (let tries = 0; tries < 500 && !await page.evaluate<boolean>(expression); tries++) await delay(20);
    };
    /** Rows once there are as many: what a click changes in the address, the page hears of later. */
    const rowsOf = async (count: number) => {
      await until(`${shown("#gallery")}.length === ${count}`);
      return await rows();
    };
    const first = await rows();
    const gain = page.locator("#gallery th button").nth(2);
    await gain.click();
    const descending = await rows();
    await gain.click();
    const ascending = await rows();
    const others = await page.evaluate<string[][]>(`[${shown("#gallery-claims")}, ${shown("section")}]`);
    const alike = others.every((each) => each.slice(-ascending.length).join() === ascending.join());
    const ariaSort = await page.evaluate<string | null>(
      'document.querySelectorAll("#gallery th")[2].getAttribute("aria-sort")',
    );
    await page.locator(".filter input").fill("SOFTWARE llvm");
    const filtered = await rowsOf(1);
    const address = await page.evaluate<string>("location.hash");
    const again = await (await open(await desktop.newPage(), url + address)).evaluate<string[]>(
      shown("#gallery"),
    );
    await page.locator(".filter a").click();
    await rowsOf(first.length);
    await page.locator("#gallery tbody a").first().click();
    const charts =
      '[...document.querySelectorAll("details.adapter[open] canvas")].filter(({ width }) => width > 300).length';
    const alone = await rowsOf(1);
    await until(`${charts} > 5`);
    const one = {
      rows: alone,
      open: await page.evaluate<boolean>('document.querySelector("details.adapter:not([hidden])").open'),
      charts: await page.evaluate<number>(charts),
    };
    await page.locator(".filter input").fill("no such adapter");
    const { length: left } = await rowsOf(0);
    const none = [
      left,
      await page.evaluate<string>('document.querySelector(".count").textContent'),
    ] as const;
    const phone = await browser.newContext({
      viewport: { width: 390, height: 844 },
      colorScheme: "dark",
      offline: true,
    });
    const small = await open(await phone.newPage(), url);
    const fits = await small.evaluate<boolean>("document.documentElement.scrollWidth <= innerWidth");
    const nameFirst = await small.evaluate<boolean>(
      `[...document.querySelectorAll("#gallery tbody tr")].every(({ cells: [check, name] }) =>
        name.getBoundingClientRect().bottom <= check.getBoundingClientRect().top + 1)`,
    );
    inaccessible.push(...await inaccessibleIn(small));
    return {
      first,
      byGain: [descending, ascending],
      alike,
      ariaSort,
      filtered,
      address,
      again,
      one,
      none,
      fits,
      nameFirst,
      inaccessible,
      messages,
    };
  } finally {
    await browser.close();
  }
}

const [browser = "", url = ""] = Deno.args;
console.log(JSON.stringify(await visit(browser, url)));
