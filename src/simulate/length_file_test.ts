import assert from "node:assert/strict";
import { parseLengths } from "./length_file.ts";

Deno.test("parseLengths() reads lengths, with and without times", () => {
  assert.deepEqual(parseLengths("output_tokens,prompt_tokens\n5,100\r\n\n1,3\n", "f"), [
    { promptTokens: 100, newTokens: 5 },
    { promptTokens: 3, newTokens: 1 },
  ]);
  assert.deepEqual(parseLengths("prompt_tokens,output_tokens,arrival_ms\n1,2,500\n3,4,750.5", "f"), [
    { promptTokens: 1, newTokens: 2, arrivalMs: 0 },
    { promptTokens: 3, newTokens: 4, arrivalMs: 250.5 },
  ]);
});

Deno.test("parseLengths() reads BurstGPT, and leaves its failures out", () => {
  const text = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n" +
    "5,ChatGPT,472,18,490,Conversation log\n45,ChatGPT,1087,0,1087,Conversation log\n118,GPT-4,417,276,693,API log\n";
  assert.deepEqual(parseLengths(text, "f"), [
    { promptTokens: 472, newTokens: 18, arrivalMs: 0 },
    { promptTokens: 417, newTokens: 276, arrivalMs: 113_000 },
  ]);
});

Deno.test("parseLengths() names the line that is wrong", () => {
  const cases = [
    ["a,b\n1,2", 'its columns are "a,b", expected prompt_tokens and output_tokens'],
    ["", 'its columns are "", expected prompt_tokens and output_tokens'],
    [
      "prompt_tokens,output_tokens\n1,2\n3,",
      'line 3 has "" as output_tokens, expected an integer of at least 0',
    ],
    [
      "prompt_tokens,output_tokens\n1,2\n0,2",
      'line 3 has "0" as prompt_tokens, expected an integer of at least 1',
    ],
    [
      "prompt_tokens,output_tokens\n1",
      "line 2 has null as output_tokens, expected an integer of at least 0",
    ],
    [
      "prompt_tokens,output_tokens,arrival_ms\n1,2,5\n1,2,4",
      'line 3 has "4" as arrival_ms, expected a time not before the previous one',
    ],
    ["prompt_tokens,output_tokens\n1,0\n", "it has no request"],
  ] as const;
  for (const [text, message] of cases) {
    assert.throws(() => parseLengths(text, "f.csv"), {
      name: "KvbenchError",
      message: `Cannot read f.csv: ${message}`,
    });
  }
});
