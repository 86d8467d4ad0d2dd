/**
 * Errors in the shape that clients of OpenAI's API know.
 *
 * @module
 */

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
}

/** The server can't go on; the client may try again elsewhere, or later. */
export function unavailable(message: string): ApiError {
  return new ApiError(503, message, { type: "server_error", code: "unavailable" });
}
