/**
 * Detection of a lost device. WebGPU reports the loss a moment after the first call that fails because of it; until then,
 * its errors do not tell the cause.
 */
import { DeviceLostError } from "../base/errors.ts";

/** Time in which a loss is reported, in ms. */
const NEWS_MS = 100;

/** Returns the error of a lost device; undefined if no loss is reported for a moment. */
export async function lossOf(device: GPUDevice): Promise<DeviceLostError | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), NEWS_MS);
  });
  const info = await Promise.race([device.lost, silence]);
  clearTimeout(timer);
  return info && lossError(info);
}

/** Makes the error of a loss. */
export function lossError({ reason, message }: GPUDeviceLostInfo): DeviceLostError {
  return new DeviceLostError(
    `The GPU device was lost (${reason}): ${
      message.split("\n")[0]
    }. Nothing that was on it can be read; begin again`,
  );
}
