/**
 * Settings of the hub and its cache, from the environment variables that Hugging Face's own tools read
 * (https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables). They are read only when a model
 * of the hub is asked for.
 */
import { KvbenchError } from "../base/errors.ts";

/** Names of the variables that are read. */
export const HUB_VARIABLES: readonly string[] = [
  "HF_ENDPOINT",
  "HF_HOME",
  "HF_HUB_CACHE",
  "HF_HUB_DOWNLOAD_TIMEOUT",
  "HF_HUB_OFFLINE",
  "HF_TOKEN",
  "HF_TOKEN_PATH",
  "HOME",
  "XDG_CACHE_HOME",
  ...(Deno.build.os === "windows" ? ["USERPROFILE"] : []),
];

/** Address and access of a hub, and the folder of its cache. */
export interface HubSettings {
  /** The hub's address, without a slash at its end. */
  readonly endpoint: URL;
  /** The folder that holds `models--owner--name` folders. */
  readonly cache: string;
  /** True if nothing may be fetched. */
  readonly offline: boolean;
  /** Longest silence of the hub, in ms. */
  readonly timeoutMs: number;
  /** Reads the token from the environment, or the one that the hub's tools have stored. */
  token(): Promise<string | undefined>;
}

const DEFAULT_ENDPOINT = "https://huggingface.co";
const DEFAULT_TIMEOUT_S = 10;

/**
 * Reads the environment.
 *
 * @param variable Returns a variable's value. Default: reads the process's environment.
 * @throws {KvbenchError} If the environment may not be read, names no home folder, or a value is not valid.
 */
export function hubSettings(variable: (name: string) => string | undefined = environment): HubSettings {
  const get = (name: string) => variable(name)?.trim() || undefined;
  const home = get("HOME") ?? (Deno.build.os === "windows" ? get("USERPROFILE") : undefined);
  const inHome = (path: string | undefined) => path?.replace(/^~(?=[/\\]|$)/, home ?? "~");
  const hfHome = inHome(get("HF_HOME")) ??
    below(inHome(get("XDG_CACHE_HOME")) ?? below(home, ".cache"), "huggingface");
  const cache = inHome(get("HF_HUB_CACHE")) ?? below(hfHome, "hub");
  if (cache === undefined) {
    throw new KvbenchError(
      "There is no folder for models: expected HOME, HF_HOME or HF_HUB_CACHE in the environment",
    );
  }
  const tokenPath = inHome(get("HF_TOKEN_PATH")) ?? below(hfHome, "token");
  return {
    endpoint: endpointOf(get("HF_ENDPOINT") ?? DEFAULT_ENDPOINT),
    cache: cache.replace(/(?<=.)[/\\]+$/, ""),
    offline: /^(1|on|yes|true)$/i.test(get("HF_HUB_OFFLINE") ?? ""),
    timeoutMs: timeoutOf(get("HF_HUB_DOWNLOAD_TIMEOUT")),
    token: async () => checkToken(get("HF_TOKEN") ?? await storedToken(tokenPath)),
  };
}

function environment(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    throw new KvbenchError(
      `Cannot look for models: no permission for ${name}, run with --allow-env=${HUB_VARIABLES.join(",")}`,
    );
  }
}

function below(folder: string | undefined, name: string): string | undefined {
  return folder === undefined ? undefined : `${folder}/${name}`;
}

function endpointOf(text: string): URL {
  const url = URL.parse(text.replace(/\/+$/, ""));
  // The address is not shown: it may hold a password.
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new KvbenchError(
      "HF_ENDPOINT is not an address: expected one that begins with https:// or http://",
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new KvbenchError("HF_ENDPOINT holds a user name or a password: expected a token in HF_TOKEN");
  }
  return url;
}

function timeoutOf(text: string | undefined): number {
  const seconds = text === undefined ? DEFAULT_TIMEOUT_S : Number(text);
  if (seconds > 0 && seconds <= 86_400) return seconds * 1000;
  throw new KvbenchError(`HF_HUB_DOWNLOAD_TIMEOUT is ${JSON.stringify(text)}: expected seconds above 0`);
}

/** Returns undefined if the file is missing or unreadable: most models need no token. */
async function storedToken(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return (await Deno.readTextFile(path)).trim() || undefined;
  } catch {
    return undefined;
  }
}

function checkToken(token: string | undefined): string | undefined {
  if (token === undefined || /^[\x21-\x7e]+$/.test(token)) return token;
  throw new KvbenchError(
    "The hub's token holds spaces or other characters that no token has: expected the token alone",
  );
}
