/**
 * Writes the made-up GPT-2 as ONNX: `NAME.onnx`, the graph, and `NAME.bin`, its weights. Called as a process of its own,
 * since the package that knows the format is among the peers'.
 */
import { basename } from "node:path";
import { SyntheticCheckpoint } from "../../../src/checkpoint/synthetic.ts";
import { onnxBytes } from "../onnx_weights.ts";
import type { Job } from "../peer.ts";
import { writeParts } from "../write_parts.ts";
import { onnxGraph } from "./onnx_graph.ts";

const { config, seed, storage, weights }: Job = JSON.parse(Deno.args[0]!);
await writeParts(`${weights}.bin`, onnxBytes(new SyntheticCheckpoint("gpt2", config, seed), storage));
await writeParts(`${weights}.onnx`, [onnxGraph(config, storage, `${basename(weights)}.bin`)]);
