/** Errors in the form that clients of OpenAI's API expect. */
import { STATUS_CODES } from "node:http";

/** Parts of an error besides its status and message. */
interface ApiErrorDetails {
  /** Kind of the error. Default: `invalid_request_error`. */
  readonly type?: string;
  /** Name of the wrong parameter. */
  readonly param?: string;
  /** Name of the error, for programs. */
  readonly code?: string;
  /** Headers of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error that answers a request. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: number;
  readonly #details: ApiErrorDetails;

  /** @param status The HTTP status. */
  constructor(status: number, message: string, details: ApiErrorDetails = {}) {
    super(message);
    this.status = status;
    this.#details = details;
  }

  /** The body, as JSON. */
  toJSON(): object {
    const { type = "invalid_request_error", param = null, code = null } = this.#details;
    return { error: { message: this.message, type, param, code } };
  }

  /** The answer to a request. */
  response(): Response {
    return Response.json(this, { status: this.status, headers: { ...this.#details.headers } });
  }

  /** The answer as bytes of HTTP/1.1 that end the connection, where no request could be read. */
  toHttp(): string {
    const body = JSON.stringify(this);
    const headers = {
      "content-type": "application/json",
      "content-length": new TextEncoder().encode(body).length,
      connection: "close",
      ...this.#details.headers,
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    return `HTTP/1.1 ${this.status} ${STATUS_CODES[this.status]}\r\n${lines}\r\n${body}`;
  }
}

/** Makes the error for a request that the server can't take or finish now. */
export function unavailable(message: string): ApiError {
  return new ApiError(503, message, {
    type: "server_error",
    code: "unavailable",
    headers: { "retry-after": "1" },
  });
}

/** Makes the error for a failure of the server, which tells the client nothing about the machine. */
export function serverFailure(): ApiError {
  return new ApiError(500, "The server has failed", { type: "server_error" });
}

/** Makes the error for a part of a request that has not come in time. */
export function requestTimeout(part: "headers" | "body", ms: number): ApiError {
  const verb = part === "headers" ? "have" : "has";
  return new ApiError(408, `The request's ${part} ${verb} not come within ${ms / 1000} seconds`, {
    code: "request_timeout",
  });
}
