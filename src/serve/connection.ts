/**
 * One client's connection as `node:http` takes it: a stream over a socket of Deno's, with deadlines for a client that
 * sends no request, stops within a request's headers, or does not take its answer.
 *
 * @module
 */
import { Duplex } from "node:stream";
import { type ApiError, requestTimeout } from "./api_error.ts";

/** How long a client may let the server wait, in ms. */
export interface Patience {
  /** For a request's headers, from the connection or from their first byte. */
  readonly headerTimeoutMs: number;
  /** For the next request, and for taking any part of an answer. */
  readonly idleTimeoutMs: number;
}

/** Bytes that are read at once. Each connection that waits holds so many. */
const READ_BYTES = 4096;
/** How long a client may go on sending after its last answer, in ms: closing at once would take the answer from it. */
const LINGER_MS = 1000;

type Callback = (error?: Error | null) => void;

/** A connection, from its acceptance to its end. */
export class Connection extends Duplex {
  /** Since when no request has been under way, in ms of `performance.now()`. */
  waitingSinceMs: number = performance.now();
  readonly #conn: Deno.TcpConn;
  readonly #patience: Patience;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Requests whose headers have come and whose answers have not been sent. */
  #underWay = 0;
  /** Whether the deadline is that of headers. */
  #expectsHeaders = true;
  /** Whether a part of them has come. */
  #hasPart = false;
  #leaving = false;

  /** Waits for the first request's headers. */
  constructor(conn: Deno.TcpConn, patience: Patience) {
    super();
    this.#conn = conn;
    this.#patience = patience;
    this.on("error", () => {}); // a client that leaves is no error of the server's
    this.#await(patience.headerTimeoutMs);
  }

  /** Whether no request is under way. */
  get isWaiting(): boolean {
    return this.#underWay === 0;
  }

  /** Whether its last answer has been given: requests that still come are too late. */
  get isLeaving(): boolean {
    return this.#leaving;
  }

  /** Takes note that a request's headers have come. */
  beginRequest(): void {
    this.#underWay++;
    clearTimeout(this.#timer);
  }

  /** Takes note that a request's answer has been sent, or never will be. */
  endRequest(): void {
    this.#underWay--;
    if (!this.isWaiting || this.#leaving || this.destroyed) return;
    this.waitingSinceMs = performance.now();
    this.#expectsHeaders = this.#hasPart = false;
    this.#await(this.#patience.idleTimeoutMs);
  }

  /** Sends an error as the last answer; breaks off where another answer is under way. */
  refuse(error: ApiError, lingerMs: number = LINGER_MS): void {
    if (this.#leaving || this.destroyed) return;
    if (this.isWaiting && this.writable) {
      this.write(error.toHttp());
      this.destroySoon(lingerMs);
    } else {
      this.destroy();
    }
  }

  /** Ends it when everything is sent. What the client still sends is thrown away, for a short time. */
  destroySoon(lingerMs: number = LINGER_MS): void {
    if (this.#leaving || this.destroyed) return;
    this.#leaving = true;
    this.end();
    this.resume();
    this.#await(lingerMs);
  }

  /** Reads what has come. */
  override async _read(): Promise<void> {
    try {
      const buffer = new Uint8Array(READ_BYTES);
      const count = await this.#conn.read(buffer);
      if (count !== null) this.#noteBytes();
      this.push(count === null ? null : buffer.subarray(0, count));
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  /** Sends, as fast as the client takes it. */
  override async _write(chunk: Uint8Array, _encoding: string, callback: Callback): Promise<void> {
    try {
      for (let sent = 0; sent < chunk.length;) {
        const timer = setTimeout(() => this.destroy(), this.#patience.idleTimeoutMs);
        sent += await this.#conn.write(chunk.subarray(sent)).finally(() => clearTimeout(timer));
      }
      callback();
    } catch (error) {
      callback(error as Error);
    }
  }

  /** Tells the client that nothing more will come. */
  override async _final(callback: Callback): Promise<void> {
    // A client that has left already need not be told.
    await this.#conn.closeWrite().catch(() => {});
    callback();
  }

  /** Closes the socket. */
  override _destroy(error: Error | null, callback: Callback): void {
    clearTimeout(this.#timer);
    this.#conn.close();
    callback(error);
  }

  #noteBytes(): void {
    if (!this.isWaiting || this.#leaving) return;
    this.#hasPart = true;
    if (this.#expectsHeaders) return;
    this.#expectsHeaders = true;
    this.#await(this.#patience.headerTimeoutMs);
  }

  #await(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#late(), ms);
  }

  #late(): void {
    if (this.#hasPart && !this.#leaving) {
      this.refuse(requestTimeout("headers", this.#patience.headerTimeoutMs));
    } else this.destroy();
  }
}
