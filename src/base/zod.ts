/**
 * zod, for every schema: the one place that names its version.
 *
 * @module
 */
export { z } from "npm:zod@4.6.7";
