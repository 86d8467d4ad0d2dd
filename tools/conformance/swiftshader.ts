/**
 * SwiftShader's Vulkan driver, which comes with Debian's Chromium: two files, found where Chromium is installed and
 * otherwise taken out of the package into a folder that git ignores.
 */
import { fileURLToPath } from "node:url";
import { run } from "../command.ts";

const FILES = ["vk_swiftshader_icd.json", "libvk_swiftshader.so"] as const;
const INSTALLED = "/usr/lib/chromium";
const KEPT = fileURLToPath(new URL("../../.cache/swiftshader", import.meta.url));

/** True where SwiftShader is available: its package is Debian's, for x86-64. */
export const canHaveSwiftShader: boolean = Deno.build.os === "linux" && Deno.build.arch === "x86_64" &&
  exists("/usr/bin/apt-get");

/**
 * The path of the driver's manifest, for VK_DRIVER_FILES.
 *
 * @throws {Error} If it is neither installed nor to be had from apt.
 */
export async function swiftShader(): Promise<string> {
  for (const folder of [INSTALLED, KEPT]) {
    if (FILES.every((name) => exists(`${folder}/${name}`))) return `${folder}/${FILES[0]}`;
  }
  const folder = await Deno.makeTempDir({ prefix: "kvbench_" });
  try {
    // Lists that are missing or old are the usual reason why a package can't be had.
    const fetched = async () =>
      (await run("apt-get", ["download", "chromium-common"], { cwd: folder })).success;
    if (!await fetched()) {
      await run("apt-get", ["update"]);
      if (!await fetched()) {
        throw new Error("apt-get can't download chromium-common, which SwiftShader is in");
      }
    }
    const [archive] = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
      name.endsWith(".deb")
    );
    if (!(await run("dpkg-deb", ["-x", archive!, "."], { cwd: folder })).success) {
      throw new Error(`dpkg-deb can't unpack ${archive}`);
    }
    await Deno.mkdir(KEPT, { recursive: true });
    for (const name of FILES.toReversed()) {
      await Deno.copyFile(`${folder}${INSTALLED}/${name}`, `${KEPT}/${name}`);
    }
    return `${KEPT}/${FILES[0]}`;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
