/**
 * Finding out whether a device is lost. WebGPU says so a moment after the first call that failed for it, and until
 * then fails in ways that tell nothing.
 *
 * @module
 */
import { DeviceLostError } from "../base/errors.ts";

/** How long the news may take. */
const NEWS_MS = 100;

/** The error of a device that is lost, or undefined where nothing is heard of a loss for a moment. */
export async function lossOf(device: GPUDevice): Promise<DeviceLostError | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), NEWS_MS);
  });
  const info = await Promise.race([device.lost, silence]);
  clearTimeout(timer);
  return info && lossError(info);
}

/** The error of a loss. */
export function lossError({ reason, message }: GPUDeviceLostInfo): DeviceLostError {
  return new DeviceLostError(
    `The GPU device was lost (${reason}): ${
      message.split("\n")[0]
    }. Nothing that was on it can be read; begin again`,
  );
}
