/**
 * kvbench with one more strategy: registers the toy window and runs the command line.
 *
 * @module
 */
import { register } from "../../extend.ts";
import { main } from "../../mod.ts";
import { TOY_WINDOW } from "./window.ts";

register(TOY_WINDOW);
await main(Deno.args);
