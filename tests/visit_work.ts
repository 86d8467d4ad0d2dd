/**
 * Opens a page in a browser, calls its `work()` with the JSON that comes on stdin, and prints what it returns. Run by
 * `browser_test.ts` as `visit_work.ts BROWSER URL`, because playwright-core needs every permission.
 */
import { chromium } from "playwright-core";

const [executablePath = "", url = ""] = Deno.args;
const input = await new Response(Deno.stdin.readable).json();
const browser = await chromium.launch({
  executablePath,
  args: ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
});
try {
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(String(error)));
  await page.goto(url);
  console.log(JSON.stringify(await page.evaluate(`work(${JSON.stringify(input)})`)));
} finally {
  await browser.close();
}
