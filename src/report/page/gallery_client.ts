/**
 * The part of the page's script that sorts and filters rows of adapters. The address says which are shown:
 * `#adapter=` and an anchor of a row, or words that all stand in a row.
 */

/** The parts of a browser's elements that are used here, for which Deno has no types. */
interface Element {
  readonly dataset: Record<string, string | undefined>;
  hidden: boolean;
  open?: boolean;
  textContent: string | null;
  value: string;
  readonly cellIndex: number;
  readonly cells: ArrayLike<Element>;
  readonly children: ArrayLike<Element>;
  append(...children: Element[]): void;
  closest(selector: string): Element | null;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  querySelector(selector: string): Element | null;
  querySelectorAll(selector: string): Iterable<Element>;
  addEventListener(type: "click" | "input", listener: () => void): void;
}

interface Browser {
  readonly document: Element;
  readonly location: { readonly hash: string; replace(url: string): void };
  addEventListener(type: "hashchange", listener: () => void): void;
}

const KEY = "#adapter=";

/** Makes the page's rows sortable and filterable, if it has any. */
export function startGallery(): void {
  const { document, location, addEventListener } = globalThis as unknown as Browser;
  const bar = document.querySelector(".filter");
  if (bar === null) return;
  const input = bar.querySelector("input")!, count = bar.querySelector(".count")!;
  const rows = [...document.querySelectorAll("tr[data-search]")];
  bar.hidden = false;

  /** Shows the rows that the address names, and everything that belongs to them. */
  const show = () => {
    const asked = location.hash.startsWith(KEY) ? decoded(location.hash.slice(KEY.length)) : "";
    const one = rows.find(({ dataset }) => dataset["adapter"] === asked);
    const words = wordsOf(asked);
    const found = rows.filter((row) => {
      const { adapter = "", search = "" } = row.dataset;
      const text = wordsOf(`${adapter} ${search}`).join(" ");
      return one === undefined ? words.every((word) => text.includes(word)) : row === one;
    }).map(({ dataset }) => dataset["adapter"]);
    for (const each of document.querySelectorAll("[data-adapter]")) {
      each.hidden = !found.includes(each.dataset["adapter"]);
      if (each.open !== undefined && found.length === 1 && rows.length > 1) each.open = !each.hidden;
    }
    if (wordsOf(input.value).join() !== words.join()) input.value = asked;
    const { shown = "", none = "" } = count.dataset;
    count.textContent = found.length === 0 ? none : `${found.length} / ${rows.length} ${shown}`;
  };
  input.addEventListener("input", () => location.replace(KEY + encodeURIComponent(input.value)));
  addEventListener("hashchange", show);
  show();

  for (const button of document.querySelectorAll("table.gallery th button")) {
    button.addEventListener("click", () => sortBy(document, button.closest("th")!));
  }
}

/** Sorts all tables by a column: downwards first where it has numbers, or the other way round the second time. */
function sortBy(document: Element, head: Element): void {
  const rows = [...document.querySelectorAll(`#${idOf(head)} tbody tr`)];
  const values = new Map(
    rows.map((row) => [row.dataset["adapter"], row.cells[head.cellIndex]!.dataset["value"] ?? ""]),
  );
  const numeric = [...values.values()].every((value) => value === "" || !Number.isNaN(Number(value)));
  const before = head.getAttribute("aria-sort");
  const descending = before === null ? numeric : before === "ascending";
  const compare = (a: string, b: string): number => {
    if (a === "" || b === "") return Number(a === "") - Number(b === ""); // what has no value comes last
    const order = numeric ? Number(a) - Number(b) : a.localeCompare(b);
    return descending ? -order : order;
  };
  for (const list of document.querySelectorAll("[data-adapters]")) {
    const valueOf = ({ dataset }: Element) => values.get(dataset["adapter"])!;
    list.append(...Array.from(list.children).sort((a, b) => compare(valueOf(a), valueOf(b))));
  }
  for (const other of document.querySelectorAll("table.gallery th")) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
}

function idOf(head: Element): string {
  return (head.closest("table") as unknown as { readonly id: string }).id;
}

/** Splits text into words in lower case; everything but letters and digits separates them. */
function wordsOf(text: string): string[] {
  return text.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "");
}

/** Decodes a part of an address, or leaves it where it can't be decoded. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
