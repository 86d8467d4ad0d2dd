/**
 * The checkpoint that comes with kvbench, found beside this module: on disk, over HTTP (fetched once, then kept
 * in the Web Cache), or handed over by a single-file bundle that carries it. Needs read permission on disk and
 * net permission for the module's host over HTTP, and nothing else.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { KvbenchError } from "../errors.ts";
import { fileSource, memorySource, readText } from "../model/byte_source.ts";
import { type Checkpoint, openCheckpoint } from "../model/checkpoint.ts";
import { type Gpt2Config, parseConfig } from "../model/config.ts";
import { download, type DownloadProgress, type RemoteFile } from "./download.ts";

/** What the embedded model is called. */
export const EMBEDDED_NAME = "tiny";

/** The files of the embedded model as committed: a download or a cached copy must be exactly these. */
export const EMBEDDED_FILES = {
  "config.json": {
    bytes: 334,
    sha256: "e11c445a9a1560aaa024b21a10edafd31a556825e0a27e60d4e50672a8c53137",
  },
  "model.safetensors": {
    bytes: 15_514_360,
    sha256: "59849615cc03e5851b07f656e50b2d57c260d1fb0d3b3be214599da85f19f913",
  },
} as const satisfies Record<string, Omit<RemoteFile, "url">>;

/** Options of {@linkcode openEmbedded}. */
export interface EmbeddedOptions {
  /** The folder that holds the files. By default `weights/tiny/` beside the sources. */
  readonly base?: URL;
  /** Called while the weights are downloaded, and never when they are at hand. */
  readonly onProgress?: DownloadProgress;
}

/** The embedded model's files, in memory. */
export interface ProvidedFiles {
  /** Text of `config.json`. */
  readonly configJson: string;
  /** Bytes of `model.safetensors`. They must not change. */
  readonly safetensors: Uint8Array;
}

// A bundle is one file with nothing beside it, so it hands its weights over when it is loaded, before anything
// runs. The registration is the module's and not a parameter because the bundle's entry point is the only one
// that knows, and everything between it and here would have to pass on what no other caller has.
let provided: ProvidedFiles | undefined;

/** Registers the files that a single-file bundle carries: {@linkcode openEmbedded} looks no further. */
export function provideEmbedded(files: ProvidedFiles): void {
  provided = files;
}

/**
 * Opens the embedded model.
 *
 * @throws {KvbenchError} If its files are missing, damaged, or can't be downloaded.
 */
export async function openEmbedded(options: EmbeddedOptions = {}): Promise<Checkpoint> {
  const base = options.base ?? new URL("../../weights/tiny/", import.meta.url);
  if (provided !== undefined && options.base === undefined) return await openProvided(provided);
  if (base.protocol === "file:") return await openLocal(base);
  if (base.protocol === "http:" || base.protocol === "https:") {
    return await openRemote(base, options.onProgress);
  }
  throw new KvbenchError(`Cannot open the embedded model at ${base}: wanted a file or HTTP address`);
}

/**
 * The embedded model's configuration.
 *
 * @throws {KvbenchError} If its file is missing, damaged, or can't be downloaded.
 */
export async function embeddedConfig(): Promise<Gpt2Config> {
  const url = new URL("../../weights/tiny/config.json", import.meta.url);
  const text = provided?.configJson ??
    (url.protocol === "file:" ? await readText(fileURLToPath(url)) : await downloadConfig(url));
  return parseConfig(JSON.parse(text), "the embedded config.json");
}

async function openProvided({ configJson, safetensors }: ProvidedFiles): Promise<Checkpoint> {
  return await openCheckpoint({
    name: EMBEDDED_NAME,
    configJson,
    configName: "the bundled config.json",
    weights: [{ bytes: memorySource(safetensors), name: "the bundled model.safetensors" }],
  });
}

async function openLocal(base: URL): Promise<Checkpoint> {
  const configName = fileURLToPath(new URL("config.json", base));
  const weightsName = fileURLToPath(new URL("model.safetensors", base));
  const configJson = await readText(configName);
  const weights = [{ bytes: await fileSource(weightsName), name: weightsName }];
  return await openCheckpoint({ name: EMBEDDED_NAME, configJson, configName, weights });
}

async function openRemote(base: URL, onProgress: DownloadProgress = () => {}): Promise<Checkpoint> {
  const config = new URL("config.json", base);
  const weights = new URL("model.safetensors", base);
  const configJson = await downloadConfig(config);
  const bytes = await download({ url: weights, ...EMBEDDED_FILES["model.safetensors"] }, onProgress);
  return await openCheckpoint({
    name: EMBEDDED_NAME,
    configJson,
    configName: config.href,
    weights: [{ bytes: memorySource(bytes), name: weights.href }],
  });
}

async function downloadConfig(url: URL): Promise<string> {
  return new TextDecoder().decode(await download({ url, ...EMBEDDED_FILES["config.json"] }));
}
