/**
 * The folder of the program's own files: the repository's root, or the folder of the single-file bundle, on disk or on a
 * server. Weights are in `weights/` there. Imports nothing.
 */

// A bundler leaves `import.meta.url` as it is; in a bundle it is the bundle's address.
const IN_SOURCES = "/src/base/home.ts";

/** True if this code is part of a bundle. */
export const IS_BUNDLE: boolean = !import.meta.url.endsWith(IN_SOURCES);

/** The folder of the program's own files, as an address that ends with a slash. */
export const HOME: URL = new URL(IS_BUNDLE ? "./" : "../../", import.meta.url);
