/**
 * A client's connection as a stream for `node:http` over a socket of Deno's, with time-outs for a client that sends no
 * request, stops within a request's headers, or does not take its answer.
 */
import { Duplex } from "node:stream";
import { type ApiError, requestTimeout } from "./api_error.ts";

/** Time-outs of a connection, in ms. */
export interface Patience {
  /** Time for a request's headers, from the connection's start or from their first byte. */
  readonly headerTimeoutMs: number;
  /** Time for the next request, and for the client to take any part of an answer. */
  readonly idleTimeoutMs: number;
}

/** Size of a read; each waiting connection holds one such buffer. */
const READ_BYTES = 4096;
/** Time in which a client may still send after its last answer, in ms: closing at once could lose that answer. */
const LINGER_MS = 1000;

type Callback = (error?: Error | null) => void;

/** A connection, from its acceptance to its end. */
export class Connection extends Duplex {
  /** Time at which the last request ended, or the connection began, in ms of `performance.now()`. */
  waitingSinceMs: number = performance.now();
  readonly #conn: Deno.TcpConn;
  readonly #patience: Patience;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Number of requests whose headers have come and whose answers are not yet sent. */
  #underWay = 0;
  /** True while the time-out is that of headers. */
  #expectsHeaders = true;
  /** True if a part of the headers has come. */
  #hasPart = false;
  #leaving = false;

  /** Begins the time-out of the first request's headers. */
  constructor(conn: Deno.TcpConn, patience: Patience) {
    super();
    this.#conn = conn;
    this.#patience = patience;
    this.on("error", () => {}); // a client that leaves is no error of the server's
    this.#await(patience.headerTimeoutMs);
  }

  /** True if no request is under way. */
  get isWaiting(): boolean {
    return this.#underWay === 0;
  }

  /** True after the last answer: further requests are ignored. */
  get isLeaving(): boolean {
    return this.#leaving;
  }

  /** Notes that a request's headers have come. */
  beginRequest(): void {
    this.#underWay++;
    clearTimeout(this.#timer);
  }

  /** Notes that a request's answer has been sent, or never will be. */
  endRequest(): void {
    this.#underWay--;
    if (!this.isWaiting || this.#leaving || this.destroyed) return;
    this.waitingSinceMs = performance.now();
    this.#expectsHeaders = this.#hasPart = false;
    this.#await(this.#patience.idleTimeoutMs);
  }

  /** Sends an error as the last answer; closes at once if another answer is under way. */
  refuse(error: ApiError, lingerMs: number = LINGER_MS): void {
    if (this.#leaving || this.destroyed) return;
    if (this.isWaiting && this.writable) {
      this.write(error.toHttp());
      this.destroySoon(lingerMs);
    } else {
      this.destroy();
    }
  }

  /** Closes once everything is sent; until then, and for a short time after, what the client sends is discarded. */
  destroySoon(lingerMs: number = LINGER_MS): void {
    if (this.#leaving || this.destroyed) return;
    this.#leaving = true;
    this.end();
    this.resume();
    this.#await(lingerMs);
  }

  /** Reads from the socket. */
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

  /** Writes to the socket, as fast as the client reads. */
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

  /** Ends the writing half of the socket. */
  override async _final(callback: Callback): Promise<void> {
    await this.#conn.closeWrite().catch(() => {}); // the client has left
    callback();
  }

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
