import assert from "node:assert/strict";
import { seededRandom } from "../../base/random.ts";
import { beamSharing } from "./beam_sharing.ts";

const REQUESTS = [{ promptTokens: 32, newTokens: 16 }];

Deno.test("beamSharing() finds nothing shared by one beam, and all but the last block by beams of one parent", () => {
  const random = () => 0;
  assert.equal(beamSharing(REQUESTS, { beams: 1, kvOptions: { block_size: 16 }, random }), 0);
  // Two full blocks of the prompt are shared by four beams, and each has its own third block from the first token on.
  assert.equal(beamSharing(REQUESTS, { beams: 4, kvOptions: { block_size: 16 }, random }), 6 / 12);
});

Deno.test("beamSharing() finds more shared where blocks are smaller, and more by more beams", () => {
  const share = (beams: number, blockSize: number) =>
    beamSharing([{ promptTokens: 40, newTokens: 200 }], {
      beams,
      kvOptions: { block_size: blockSize },
      random: seededRandom(1),
    });
  assert.ok(share(4, 4) > share(4, 16) && share(4, 16) > share(4, 64));
  assert.ok(share(6, 16) > share(4, 16) && share(4, 16) > share(2, 16));
  assert.ok(share(2, 1) < 0.5);
});

Deno.test("beamSharing() of nothing is 0", () => {
  assert.equal(beamSharing([], { beams: 2, kvOptions: { block_size: 16 }, random: Math.random }), 0);
});
