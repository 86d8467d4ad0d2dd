/**
 * Opens report pages in a browser and prints as JSON what it sees of each. Run by `report_page_test.ts` as
 * `visit_page.ts BROWSER URL...`, because playwright-core needs every permission.
 */
import { type Browser, type BrowserContextOptions, chromium } from "playwright-core";
import { inaccessibleIn } from "./inaccessible.ts";

/** What was seen. */
export interface Visit {
  /** At the width of a desktop and of a phone. */
  readonly views: readonly {
    readonly width: number;
    readonly scheme: string;
    readonly canvases: number;
    /** What stood in the console, was thrown, or could not be loaded. */
    readonly messages: readonly string[];
    /** Ids of charts in which nothing is drawn. */
    readonly empty: readonly string[];
    /** Whether the first chart has a line in the scheme's colour of no-cache. */
    readonly hasColour: boolean;
    /** What axe-core finds serious or critical with all tables open, in this scheme and in the other. */
    readonly inaccessible: readonly string[];
    /** Whether nothing is wider than the screen. */
    readonly fits: boolean;
  }[];
  /** Texts of the tables' bodies, by id. */
  readonly tables: Readonly<Record<string, readonly (readonly string[])[]>>;
  /** Whether the keyboard alone opens a table. */
  readonly opened: boolean;
  /** Whether the colours follow the system's while the page is open. */
  readonly followed: boolean;
}

const VIEWS = [
  { viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  { viewport: { width: 390, height: 844 }, colorScheme: "dark", deviceScaleFactor: 2 },
] as const satisfies BrowserContextOptions[];

const COLOURS = { light: "#D55E00", dark: "#FF8C42" } as const;

/** A chart is empty where one colour, or none, fills more than 99.9 % of its pixels. */
const EMPTY_CHARTS = `[...document.querySelectorAll("canvas")].filter((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const counts = new Map();
  for (const pixel of new Uint32Array(data.buffer)) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  return canvas.width < 200 || canvas.height < 100 || Math.max(...counts.values()) > 0.999 * data.length / 4;
}).map(({ id }) => id)`;

const TABLES = `Object.fromEntries([...document.querySelectorAll("table[id]")].map((table) =>
  [table.id, [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent))]))`;

/** Whether the first chart has pixels of this colour. */
const hasColour = (hex: string) =>
  `(() => {
  const canvas = document.querySelector("canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const [r, g, b] = [1, 3, 5].map((i) => parseInt("${hex}".slice(i, i + 2), 16));
  for (let i = 0; i < data.length; i += 4) {
    if (data[i] === r && data[i + 1] === g && data[i + 2] === b && data[i + 3] === 255) return true;
  }
  return false;
})()`;

/** Asks for ten seconds. Playwright's own waiting evaluates strings in the page, whose policy forbids that. */
async function becomesTrue(ask: () => Promise<boolean>): Promise<boolean> {
  for (const end = performance.now() + 10_000; performance.now() < end;) {
    if (await ask()) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

async function visit(browser: Browser, url: string): Promise<Visit> {
  const views: Visit["views"][number][] = [];
  for (const view of VIEWS) {
    const context = await browser.newContext({ ...view, offline: true });
    const page = await context.newPage();
    const messages: string[] = [];
    page.on("console", (message) => messages.push(message.text()));
    page.on("pageerror", (error) => messages.push(String(error)));
    page.on("requestfailed", (request) => messages.push(request.url()));
    await page.goto(url);
    const loaded = [...messages]; // before pixels are read, which Chromium has a warning about
    const seen = {
      width: view.viewport.width,
      scheme: view.colorScheme,
      canvases: await page.evaluate<number>('document.querySelectorAll("canvas").length'),
      messages: loaded,
      empty: await page.evaluate<string[]>(EMPTY_CHARTS),
      hasColour: await page.evaluate<boolean>(hasColour(COLOURS[view.colorScheme])),
      fits: await page.evaluate<boolean>("document.documentElement.scrollWidth <= innerWidth"),
    };
    await page.evaluate('document.querySelectorAll("details").forEach((each) => each.open = true)');
    const inaccessible = await inaccessibleIn(page);
    await page.emulateMedia({ colorScheme: view.colorScheme === "light" ? "dark" : "light" });
    inaccessible.push(...await inaccessibleIn(page, { runOnly: ["color-contrast"] }));
    views.push({ ...seen, inaccessible });
    await context.close();
  }
  const page = await browser.newPage({ colorScheme: "light" });
  await page.goto(url);
  const tables = await page.evaluate<Visit["tables"]>(TABLES);
  await page.evaluate('document.querySelector("summary").focus()');
  await page.keyboard.press("Enter");
  const opened = await page.evaluate<boolean>('document.querySelector("details").open');
  await page.emulateMedia({ colorScheme: "dark" });
  const followed = await becomesTrue(() => page.evaluate<boolean>(hasColour(COLOURS.dark)));
  await page.close();
  return { views, tables, opened, followed };
}

const [executablePath = "", ...urls] = Deno.args;
const browser = await chromium.launch({ executablePath });
try {
  const visits: Visit[] = [];
  for (const url of urls) visits.push(await visit(browser, url));
  console.log(JSON.stringify(visits));
} finally {
  await browser.close();
}
