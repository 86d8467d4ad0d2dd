/** kvbench with one more strategy: registers the toy and runs the command line. */
import { register } from "../../extend.ts";
import { main } from "../../mod.ts";
import { TOY_DILATED } from "./dilated.ts";

register(TOY_DILATED);
await main(Deno.args);
