/**
 * Where the program's own files lie: the repository's root, or the folder of the single file that a bundler made of
 * it. Weights lie in `weights/` there, on disk or on a server. Imports nothing.
 *
 * @module
 */

// A bundler leaves `import.meta.url` as it is, so that it is the bundle's own address where this code is part of one.
const IN_SOURCES = "/src/base/home.ts";

/** Whether this code is part of a bundle, and no longer a file of its own. */
export const IS_BUNDLE: boolean = !import.meta.url.endsWith(IN_SOURCES);

/** The folder of the program's own files, as an address that ends with a slash. */
export const HOME: URL = new URL(IS_BUNDLE ? "./" : "../../", import.meta.url);
