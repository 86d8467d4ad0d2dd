/** A queue whose entries can be taken back: first in, first out, in constant time on average. */

/** First in, first out. */
export class Queue<T> {
  #items: (T | undefined)[] = [];
  #first = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Adds an entry behind all others. */
  push(item: T): void {
    this.#items.push(item);
    this.#length++;
  }

  /** The entry that has waited for longest. */
  peek(): T | undefined {
    while (this.#first < this.#items.length && this.#items[this.#first] === undefined) this.#first++;
    return this.#items[this.#first];
  }

  /** Takes that entry out. */
  shift(): T | undefined {
    const item = this.peek();
    if (item === undefined) return undefined;
    this.#items[this.#first++] = undefined;
    this.#length--;
    if (this.#first > 1024 && this.#first > this.#items.length / 2) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }

  /** Takes an entry out, wherever it stands; in time proportional to the queue. */
  remove(item: T): void {
    const at = this.#items.indexOf(item, this.#first);
    if (at < 0) return;
    this.#items[at] = undefined;
    this.#length--;
  }
}
