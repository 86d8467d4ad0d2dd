import assert from "node:assert/strict";
import { identityOf } from "./identity.ts";

Deno.test("identityOf() knows software by the name that an adapter shows, whatever that is made of", () => {
  const named = (description: string) => ({ description, vendor: "", architecture: "", device: "" });
  assert.ok(identityOf(named("llvmpipe (LLVM 15.0.6, 256 bits)")).software);
  assert.ok(!identityOf(named("NVIDIA H200")).software);
  // Chromium describes no adapter.
  const inChromium = identityOf({ ...named(""), vendor: "google", architecture: "swiftshader" });
  assert.deepEqual([inChromium.description, inChromium.software], ["google swiftshader", true]);
});
