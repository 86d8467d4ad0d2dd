/**
 * The checkpoint that comes with kvbench, beside the sources or the single-file bundle: on disk, or over HTTP, fetched
 * once and kept in the Web Cache. Needs read permission on disk, or net permission for that host, and nothing else.
 */
import { fileURLToPath } from "node:url";
import { KvbenchError } from "../base/errors.ts";
import { HOME } from "../base/home.ts";
import { memorySource } from "../checkpoint/byte_source.ts";
import { type Checkpoint, openCheckpoint } from "../checkpoint/checkpoint.ts";
import { type Gpt2Config, parseConfig } from "../checkpoint/config.ts";
import { fileSource, readText } from "../host/files.ts";
import { download, type DownloadOptions, type PinnedFile } from "./download.ts";

/** Name of the embedded model. */
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
} as const satisfies Record<string, Omit<PinnedFile, "url">>;

/** The folder of the embedded model, beside the sources or the bundle. */
const EMBEDDED_FOLDER: URL = new URL("weights/tiny/", HOME);

interface EmbeddedOptions extends DownloadOptions {
  /** The folder that holds the files. Default: {@linkcode EMBEDDED_FOLDER}. */
  readonly base?: URL;
}

/**
 * Opens the embedded model.
 *
 * @throws {KvbenchError} If its files are missing, damaged, or can't be downloaded.
 */
export async function openEmbedded(options: EmbeddedOptions = {}): Promise<Checkpoint> {
  const { base = EMBEDDED_FOLDER } = options;
  if (base.protocol === "file:") return await openLocal(base);
  if (base.protocol === "http:" || base.protocol === "https:") return await openRemote(base, options);
  throw new KvbenchError(`Cannot open the embedded model at ${base}: expected a file or HTTP address`);
}

/**
 * Returns the embedded model's configuration.
 *
 * @throws {KvbenchError} If its file is missing, damaged, or can't be downloaded.
 */
export async function embeddedConfig(): Promise<Gpt2Config> {
  const url = new URL("config.json", EMBEDDED_FOLDER);
  const text = url.protocol === "file:" ? await readText(fileURLToPath(url)) : await downloadConfig(url);
  return parseConfig(JSON.parse(text), "the embedded config.json");
}

async function openLocal(base: URL): Promise<Checkpoint> {
  const configName = fileURLToPath(new URL("config.json", base));
  const weightsName = fileURLToPath(new URL("model.safetensors", base));
  const configJson = await readText(configName);
  const weights = [{ bytes: await fileSource(weightsName), name: weightsName }];
  return await openCheckpoint({ name: EMBEDDED_NAME, configJson, configName, weights });
}

async function openRemote(base: URL, options: EmbeddedOptions): Promise<Checkpoint> {
  const config = new URL("config.json", base);
  const weights = new URL("model.safetensors", base);
  const configJson = await downloadConfig(config, options);
  const bytes = await download({ url: weights, ...EMBEDDED_FILES["model.safetensors"] }, options);
  return await openCheckpoint({
    name: EMBEDDED_NAME,
    configJson,
    configName: config.href,
    weights: [{ bytes: memorySource(bytes), name: weights.href }],
  });
}

async function downloadConfig(
  url: URL,
  { retry, onRetry }: Pick<DownloadOptions, "retry" | "onRetry"> = {},
): Promise<string> {
  const file = { url, ...EMBEDDED_FILES["config.json"] };
  return new TextDecoder().decode(await download(file, { onRetry, ...(retry && { retry }) }));
}
