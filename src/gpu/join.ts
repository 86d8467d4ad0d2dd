/**
 * Joining WGSL files to a module. A file says in its head what it needs and what it is good for:
 *
 *     // requires: step.wgsl, x, kv_buffer_read.wgsl | kv_buffer_write.wgsl
 *     // provides: y
 *
 * Names that end in `.wgsl` are files; others are roles, such as `x`, where a kernel's activation input is read. A role
 * has several files that provide it, of which whoever compiles a kernel chooses one.
 */
import argmaxBestCode from "../../wgsl/lib/argmax_best.wgsl" with { type: "text" };
import attentionEntriesCode from "../../wgsl/ops/attention/attention_entries.wgsl" with { type: "text" };
import kvBufferCode from "../../wgsl/lib/kv/kv_buffer.wgsl" with { type: "text" };
import kvGroupsCode from "../../wgsl/lib/kv/kv_groups.wgsl" with { type: "text" };
import kvHeadStoreCode from "../../wgsl/lib/kv/kv_head_store.wgsl" with { type: "text" };
import kvScalePlacesCode from "../../wgsl/lib/kv/kv_scale_places.wgsl" with { type: "text" };
import kvQuadsCode from "../../wgsl/lib/kv/kv_quads.wgsl" with { type: "text" };
import kvTexelsCode from "../../wgsl/lib/kv/kv_texels.wgsl" with { type: "text" };
import kvUnitsCode from "../../wgsl/lib/kv/kv_units.wgsl" with { type: "text" };
import stepCode from "../../wgsl/lib/step.wgsl" with { type: "text" };
import texelsCode from "../../wgsl/lib/texels.wgsl" with { type: "text" };
import weightShapeCode from "../../wgsl/lib/weights/weight_shape.wgsl" with { type: "text" };
import weightTileCode from "../../wgsl/lib/weights/weight_tile.wgsl" with { type: "text" };
import type { WgslFile } from "./wgsl.ts";

/** Files that are joined wherever one requires them by name. */
export const SHARED_FILES: readonly WgslFile[] = [
  { name: "step.wgsl", code: stepCode },
  { name: "texels.wgsl", code: texelsCode },
  { name: "weight_shape.wgsl", code: weightShapeCode },
  { name: "weight_tile.wgsl", code: weightTileCode },
  { name: "argmax_best.wgsl", code: argmaxBestCode },
  { name: "attention_entries.wgsl", code: attentionEntriesCode },
  { name: "kv_groups.wgsl", code: kvGroupsCode },
  { name: "kv_buffer.wgsl", code: kvBufferCode },
  { name: "kv_texels.wgsl", code: kvTexelsCode },
  { name: "kv_units.wgsl", code: kvUnitsCode },
  { name: "kv_head_store.wgsl", code: kvHeadStoreCode },
  { name: "kv_scale_places.wgsl", code: kvScalePlacesCode },
  { name: "kv_quads.wgsl", code: kvQuadsCode },
];

/** Lists the needs of a file: of each entry, one of the names. */
function requirementsOf({ code }: Pick<WgslFile, "code">): string[][] {
  return listOf(code, "requires").map((entry) => entry.split("|").map((name) => name.trim()));
}

/** Lists the roles that a file fills. */
function rolesOf({ code }: Pick<WgslFile, "code">): string[] {
  return listOf(code, "provides");
}

function listOf(code: string, key: string): string[] {
  const line = new RegExp(`^// ${key}: (.+)$`, "m").exec(code)?.[1];
  return line?.split(",").map((entry) => entry.trim()) ?? [];
}

/**
 * Orders the files of a kernel, each behind what it requires, and adds the {@linkcode SHARED_FILES} among that.
 *
 * @param others Files to add, in place of the shared ones, where `chosen` leaves a requirement open.
 * @throws {Error} If a requirement is met by none.
 */
export function joinWgsl(
  chosen: readonly WgslFile[],
  others: readonly WgslFile[] = SHARED_FILES,
): WgslFile[] {
  const joined: WgslFile[] = [], begun = new Map<string, WgslFile>();
  const meets = (file: WgslFile, names: readonly string[]) =>
    names.includes(file.name) || rolesOf(file).some((role) => names.includes(role));
  const add = (file: WgslFile) => {
    if (begun.has(file.name)) return; // also where two require each other: WGSL has no order of declarations
    begun.set(file.name, file);
    for (const names of requirementsOf(file)) {
      const found = [...chosen, ...begun.values()].find((other) => meets(other, names)) ??
        others.find((other) => meets(other, names));
      if (!found) {
        throw new Error(`${file.name} requires ${names.join(" or ")}: expected a file that is that`);
      }
      add(found);
    }
    joined.push(file);
  };
  chosen.forEach(add);
  return joined;
}
