/**
 * Errors in the shape that clients of OpenAI's API know.
 *
 * @module
 */
import { STATUS_CODES } from "node:http";

/** What stands beside the message. */
export interface ApiErrorDetails {
  /** Its kind; `invalid_request_error` if left out. */
  readonly type?: string;
  /** The parameter that is wrong. */
  readonly param?: string;
  /** A name for programs. */
  readonly code?: string;
  /** Headers of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that gets an error for an answer. */
export class ApiError extends Error {
  /** Which error this is. */
  override name = "ApiError";
  /** The HTTP status. */
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

  /** The answer. */
  response(): Response {
    return Response.json(this, { status: this.status, headers: { ...this.#details.headers } });
  }

  /** The answer as HTTP/1.1, the last one of its connection: for what never became a request. */
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

/** The server can't take or finish it; the client may try again elsewhere, or later. */
export function unavailable(message: string): ApiError {
  return new ApiError(503, message, {
    type: "server_error",
    code: "unavailable",
    headers: { "retry-after": "1" },
  });
}

/** The server has failed. The client is told nothing of the machine's inside. */
export function serverFailure(): ApiError {
  return new ApiError(500, "The server has failed", { type: "server_error" });
}

/** A part of the request did not come in time. */
export function requestTimeout(part: "headers" | "body", ms: number): ApiError {
  const verb = part === "headers" ? "have" : "has";
  return new ApiError(408, `The request's ${part} ${verb} not come within ${ms / 1000} seconds`, {
    code: "request_timeout",
  });
}
