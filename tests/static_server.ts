/**
 * A web server as a user may have one at hand: it answers as `python3 -m http.server` on Debian does, one request at a
 * time, from a queue of five. What comes while the queue is full is turned away by the system.
 *
 * @module
 */

/** Content-Type by the file's extension: that of Python, which on Debian reads `/etc/mime.types`. */
const TYPES: Readonly<Record<string, string>> = {
  html: "text/html",
  js: "text/javascript",
  json: "application/json",
  ts: "text/vnd.trolltech.linguist",
  txt: "text/plain",
};
const ANY_TYPE = "application/octet-stream";
const QUEUE = 5;

/** A folder on loopback. */
export class StaticServer implements AsyncDisposable {
  /** The paths that were asked for, in order. */
  readonly requests: string[] = [];
  readonly #folder: URL;
  readonly #listener: Deno.TcpListener;
  readonly #serving: Promise<void>;

  /** @param folder The folder, as an address that ends with a slash. */
  constructor(folder: URL) {
    this.#folder = folder;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: QUEUE });
    this.#serving = this.#serve();
  }

  /** Name and port, as permissions have them. */
  get host(): string {
    return `127.0.0.1:${this.#listener.addr.port}`;
  }

  /** Stops listening, and waits for the answer under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#serving;
  }

  async #serve(): Promise<void> {
    for await (const connection of this.#listener) {
      using open = connection;
      // A client that has left is not the server's concern.
      await this.#answer(open).catch((error: unknown) => {
        if (!(error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset)) {
          throw error;
        }
      });
    }
  }

  async #answer(connection: Deno.TcpConn): Promise<void> {
    const path = /^GET (\/\S*) HTTP\/1\.[01]\r\n/.exec(await readHead(connection))?.[1];
    if (path === undefined) {
      return await send(connection, "501 Unsupported method", "text/html", new Uint8Array());
    }
    this.requests.push(path);
    const body = await Deno.readFile(new URL(`.${path}`, this.#folder)).catch(() => undefined);
    if (body === undefined) {
      return await send(connection, "404 File not found", "text/html", new Uint8Array());
    }
    await send(connection, "200 OK", TYPES[path.split(".").at(-1)!] ?? ANY_TYPE, body);
  }
}

async function readHead(connection: Deno.TcpConn): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  let head = "";
  while (!head.includes("\r\n\r\n")) {
    const length = await connection.read(buffer);
    if (length === null) break;
    head += decoder.decode(buffer.subarray(0, length), { stream: true });
  }
  return head;
}

/** Sends an answer; the connection ends behind it, as HTTP/1.0 has it. */
async function send(connection: Deno.TcpConn, status: string, type: string, body: Uint8Array): Promise<void> {
  const head = `HTTP/1.0 ${status}\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`;
  for (const part of [new TextEncoder().encode(head), body]) {
    for (let sent = 0; sent < part.length;) sent += await connection.write(part.subarray(sent));
  }
  await connection.closeWrite();
}
