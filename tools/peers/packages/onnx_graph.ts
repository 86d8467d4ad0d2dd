/**
 * GPT-2 as an ONNX graph, as people export it: `input_ids`, `position_ids` and the past's K and V go in, the logits of
 * the last position and the present K and V, which are the past's with the new rows behind them, come out. GELU is
 * spelled out as PyTorch's exporter spells it, for the runtimes to fuse.
 */
import proto, { type onnx } from "onnx-proto"; // CommonJS: its values come with the default import alone
import type { Gpt2Config } from "../../../src/checkpoint/config.ts";
import { HEAD } from "../../../src/checkpoint/tensors.ts";
import { BLOCK } from "../blocks.ts";
import { ELEMENT, onnxTensors } from "../onnx_weights.ts";
import type { Storage } from "../peer.ts";

const OPSET = 17, IR_VERSION = 8;
/** Domain of ONNX Runtime's own operators, and the accuracy level that lets them compute in 8 bits, as llama.cpp does. */
const MICROSOFT = "com.microsoft", INTEGERS = 4;
const { INT, FLOAT, INTS } = proto.onnx.AttributeProto.AttributeType;
/** The mask's value for positions that are not seen, within float16. */
const UNSEEN = -65504;

type Attributes = Readonly<Record<string, number | readonly number[] | { readonly f: number }>>;

/** Returns the bytes of the graph, whose weights are in `weightsFile` beside it. */
export function onnxGraph(config: Gpt2Config, storage: Storage, weightsFile: string): Uint8Array {
  const { nLayer, nHead, headDim, nEmbd, vocabSize } = config;
  const graph = new Graph(storage === "f16" ? ELEMENT.float16 : ELEMENT.float32);
  for (const { name, dims, type, offset, length } of onnxTensors(config, storage)) {
    graph.initializers.push({
      name,
      dims: [...dims],
      dataType: type,
      dataLocation: proto.onnx.TensorProto.DataLocation.EXTERNAL,
      externalData: [["location", weightsFile], ["offset", `${offset}`], ["length", `${length}`]]
        .map(([key = "", value = ""]) => ({ key, value })),
    });
  }
  const { node, scalar, integers } = graph;
  const product = (x: string, name: string, inputs: number, outputs: number): string => {
    if (storage !== "int8") return node("MatMul", [x, name]);
    return node("MatMulNBits", [x, name, `${name}.scales`], {
      ...{ K: inputs, N: outputs, bits: 8, block_size: BLOCK, accuracy_level: INTEGERS },
    });
  };
  const linear = (x: string, name: string, inputs: number, outputs: number) =>
    node("Add", [product(x, `${name}.weight`, inputs, outputs), `${name}.bias`]);
  const norm = (x: string, name: string) =>
    node("LayerNormalization", [x, `${name}.weight`, `${name}.bias`], {
      axis: -1,
      epsilon: { f: config.layerNormEpsilon },
    });
  const gelu = (x: string) => {
    const cube = node("Mul", [node("Pow", [x, scalar(3)]), scalar(0.044715)]);
    const inner = node("Mul", [node("Add", [x, cube]), scalar(Math.sqrt(2 / Math.PI))]);
    return node("Mul", [node("Mul", [x, scalar(0.5)]), node("Add", [node("Tanh", [inner]), scalar(1)])]);
  };

  graph.input("input_ids", ELEMENT.int64, [1, "new"]);
  graph.input("position_ids", ELEMENT.int64, [1, "new"]);
  // [1, 1, new, total]: 0 where a position is seen, else the least number.
  const past = node("Gather", [node("Shape", ["past.0.key"]), integers([2])]);
  const total = node("Squeeze", [
    node("Add", [past, node("Gather", [node("Shape", ["input_ids"]), integers([1])])]),
  ]);
  const columns = node("Range", [integers(0), total, integers(1)]);
  const seen = node("LessOrEqual", [columns, node("Unsqueeze", ["position_ids", integers([1, 3])])]);
  const mask = node("Where", [seen, scalar(0), scalar(UNSEEN)]);

  let x = node("Add", [
    node("Gather", ["wte.weight", "input_ids"]),
    node("Gather", ["wpe.weight", "position_ids"]),
  ]);
  for (let i = 0; i < nLayer; i++) {
    const qkv = linear(norm(x, `h.${i}.ln_1`), `h.${i}.attn.c_attn`, nEmbd, 3 * nEmbd);
    const parts = graph.nodes(3, "Split", [qkv, integers([nEmbd, nEmbd, nEmbd])], { axis: 2 });
    const [q = "", k = "", v = ""] = parts.map((part) =>
      node("Transpose", [node("Reshape", [part, integers([0, 0, nHead, headDim])])], { perm: [0, 2, 1, 3] })
    );
    const [key, value] = ([["key", k], ["value", v]] as const).map(([name, fresh]) => {
      graph.input(`past.${i}.${name}`, graph.float, [1, nHead, "past", headDim]);
      const present = node("Concat", [`past.${i}.${name}`, fresh], { axis: 2 }, `present.${i}.${name}`);
      return graph.output(present, graph.float, [1, nHead, "total", headDim]);
    }) as [string, string];
    const scores = node("MatMul", [q, node("Transpose", [key], { perm: [0, 1, 3, 2] })]);
    const scaled = node("Add", [node("Div", [scores, scalar(Math.sqrt(headDim))]), mask]);
    const heads = node("MatMul", [node("Softmax", [scaled], { axis: -1 }), value]);
    const joined = node("Reshape", [
      node("Transpose", [heads], { perm: [0, 2, 1, 3] }),
      integers([0, 0, nEmbd]),
    ]);
    x = node("Add", [x, linear(joined, `h.${i}.attn.c_proj`, nEmbd, nEmbd)]);
    const inner = linear(norm(x, `h.${i}.ln_2`), `h.${i}.mlp.c_fc`, nEmbd, config.nInner);
    x = node("Add", [x, linear(gelu(inner), `h.${i}.mlp.c_proj`, config.nInner, nEmbd)]);
  }
  const last = node("Slice", [norm(x, "ln_f"), integers([-1]), integers([2 ** 31 - 1]), integers([1])]);
  const logits = product(last, HEAD, nEmbd, vocabSize);
  graph.output(node("Cast", [logits], { to: ELEMENT.float32 }, "logits"), ELEMENT.float32, [1, 1, vocabSize]);
  return proto.onnx.ModelProto.encode({
    irVersion: IR_VERSION,
    producerName: "kvbench",
    opsetImport: [{ domain: "", version: OPSET }, { domain: MICROSOFT, version: 1 }],
    graph: graph.proto("gpt2"),
  }).finish();
}

/** A graph that is built node by node; each node's first output is its name. */
class Graph {
  readonly initializers: onnx.ITensorProto[] = [];
  /** Element type of activations. */
  readonly float: number;
  readonly #nodes: onnx.INodeProto[] = [];
  readonly #inputs: onnx.IValueInfoProto[] = [];
  readonly #outputs: onnx.IValueInfoProto[] = [];
  readonly #constants = new Set<string>();

  constructor(float: number) {
    this.float = float;
  }

  input(name: string, type: number, dims: readonly (number | string)[]): void {
    this.#inputs.push(valueInfo(name, type, dims));
  }

  output(name: string, type: number, dims: readonly (number | string)[]): string {
    this.#outputs.push(valueInfo(name, type, dims));
    return name;
  }

  /** Adds a node, and returns the name of its output. */
  readonly node = (
    op: string,
    inputs: readonly string[],
    attributes: Attributes = {},
    output?: string,
  ): string => this.nodes(1, op, inputs, attributes, output)[0]!;

  /** Adds a node with several outputs. */
  nodes(
    count: number,
    op: string,
    inputs: readonly string[],
    attributes: Attributes = {},
    output?: string,
  ): string[] {
    const name = output ?? `${op}_${this.#nodes.length}`;
    const outputs = Array.from({ length: count }, (_, i) => i === 0 ? name : `${name}.${i}`);
    this.#nodes.push({
      name: `node_${name}`,
      opType: op,
      input: [...inputs],
      output: outputs,
      domain: op === "MatMulNBits" ? MICROSOFT : "",
      attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
    });
    return outputs;
  }

  /** A constant of the type of activations. */
  readonly scalar = (value: number): string => {
    const bytes = this.float === ELEMENT.float16 ? new Float16Array([value]) : new Float32Array([value]);
    return this.#constant(`float_${value}`, this.float, [], bytes);
  };

  /** A constant of integers: one of no dimension, or a list. */
  readonly integers = (values: number | readonly number[]): string => {
    const list = typeof values === "number" ? [values] : values,
      dims = typeof values === "number" ? [] : [list.length];
    return this.#constant(
      `ids_${dims}_${list.join("_")}`,
      ELEMENT.int64,
      dims,
      BigInt64Array.from(list.map(BigInt)),
    );
  };

  proto(name: string): onnx.IGraphProto {
    return {
      name,
      node: this.#nodes,
      initializer: this.initializers,
      input: this.#inputs,
      output: this.#outputs,
    };
  }

  #constant(name: string, dataType: number, dims: number[], values: ArrayBufferView): string {
    if (!this.#constants.has(name)) {
      this.#constants.add(name);
      this.initializers.push({ name, dims, dataType, rawData: new Uint8Array(values.buffer) });
    }
    return name;
  }
}

function attribute(name: string, value: Attributes[string]): onnx.IAttributeProto {
  if (typeof value === "number") return { name, type: INT, i: value };
  if ("f" in value) return { name, type: FLOAT, f: value.f };
  return { name, type: INTS, ints: [...value] };
}

function valueInfo(name: string, elemType: number, dims: readonly (number | string)[]): onnx.IValueInfoProto {
  const dim = dims.map((size) => typeof size === "number" ? { dimValue: size } : { dimParam: size });
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}
