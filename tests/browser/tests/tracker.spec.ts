// The page as an app: what installing needs, life without a network, updates that wait, and who is talked to.

import type { Page } from "@playwright/test";
import { expect, openAndKeep, openView, Site, test } from "./tracker-fixtures.ts";

let site: Site;
test.beforeEach(async ({}, { title }) => {
  site = await new Site(title.replace(/\W+/g, "-").slice(0, 40)).open();
});
test.afterEach(() => site.stop());

const model = (page: Page) => expect(page.getByTestId("device")).toHaveAttribute("data-device", "cpu");
const version = (page: Page) => page.locator("html").getAttribute("data-version");

test("the page can be installed: its manifest is whole, its icons are what it says, and a worker answers for it", async ({ page, context }) => {
  await openAndKeep(page, site);
  const browser = await context.newCDPSession(page);
  const { installabilityErrors } = await browser.send("Page.getInstallabilityErrors");
  // The tests' browser forgets everything, as private windows do; it has no other objection.
  expect(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== "in-incognito")).toEqual([]);
  const { data, errors } = await browser.send("Page.getAppManifest");
  expect(errors).toEqual([]);
  const manifest = JSON.parse(data ?? "{}");
  expect(manifest).toMatchObject({ short_name: "sensorllm", start_url: "./", scope: "./", display: "standalone" });
  // Two copies on one host are two apps.
  expect((await browser.send("Page.getAppId")).appId).toBe(`${site.url}`);
  for (const { src, sizes, type } of manifest.icons) {
    const { width, height, served } = await page.evaluate(async (src) => {
      const response = await fetch(src);
      const image = new Image();
      image.src = src;
      await image.decode();
      return { width: image.naturalWidth, height: image.naturalHeight, served: response.headers.get("content-type") };
    }, src);
    expect(served).toBe(type);
    if (sizes !== "any") expect(`${width}x${height}`).toBe(sizes);
  }
  const icon = (purpose: string, sizes: string) => manifest.icons.some((one: Record<string, string>) => one.purpose === purpose && one.sizes === sizes && one.type === "image/png");
  for (const purpose of ["any", "maskable"]) for (const sizes of ["192x192", "512x512"]) expect(icon(purpose, sizes), `${purpose} ${sizes}`).toBe(true);
  expect(await page.locator('link[rel="apple-touch-icon"]').getAttribute("href")).toBeTruthy();
});

test("after the first visit everything works while the server is gone", async ({ page, context }) => {
  await openAndKeep(page, site);
  await model(page);
  await site.stop();
  await context.setOffline(true);
  await page.reload();
  await model(page);
  await page.goto(`${site.url}?device=cpu&speed=12#now`);
  await model(page);
  await page.getByTestId("replay").click();
  await expect(page.getByTestId("activity")).toHaveAttribute("data-activity", "walking");
  // Another tab too, by the address that people type.
  const other = await context.newPage();
  await other.goto(site.url);
  await model(other);
});

test("on the first visit already the page goes on when the network goes away", async ({ page, context }) => {
  await openAndKeep(page, site, "&speed=12");
  await site.stop();
  await context.setOffline(true);
  await page.getByTestId("replay").click();
  await expect(page.getByTestId("activity")).toHaveAttribute("data-activity", "walking");
});

test("once everything is stored nothing is asked of the server any more, and nothing of anyone else ever", async ({ page, context }) => {
  const elsewhere: string[] = [];
  context.on("request", (request) => {
    if (!request.url().startsWith(site.url) && !/^(data|blob):/.test(request.url())) elsewhere.push(request.url());
  });
  await openAndKeep(page, site, "&speed=24");
  await model(page);
  const before = site.requests.length;
  await page.getByTestId("replay").click();
  await expect(page.getByTestId("status")).toHaveText("The recording is over", { timeout: 120_000 });
  for (const view of ["day", "history", "words", "data", "settings", "now"]) {
    await openView(page, view);
  }
  expect(site.requests.slice(before)).toEqual([]);
  expect(elsewhere).toEqual([]);
});

test("neither the page nor its workers can reach another host", async ({ page, context, baseURL, problems }) => {
  await openAndKeep(page, site);
  // Another port is another origin, and this one answers.
  const outcome = (address: string) => page.evaluate((address) => fetch(address, { mode: "no-cors" }).then(() => "answered", () => "refused"), address);
  expect(await outcome(baseURL as string)).toBe("refused");
  expect(problems.join()).toContain("Content Security Policy");
  const image = await page.evaluate((address) => new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve("loaded");
    image.onerror = () => resolve("refused");
    image.src = `${address}app/icon.svg`;
  }), baseURL as string);
  expect(image).toBe("refused");
  // A worker has no meta element: the service worker refuses for it.
  const [worker] = page.workers();
  expect(await worker?.evaluate((address) => fetch(address, { mode: "no-cors" }).then(() => "answered", () => "refused"), baseURL as string)).toBe("refused");
  expect(await context.request.get(baseURL as string).then((response) => response.ok())).toBe(true);
  problems.length = 0;
});

test("a new version is offered, and taken only when that is wanted", async ({ page }) => {
  await openAndKeep(page, site);
  await site.deploy("a2");
  await page.reload();
  await expect(page.getByTestId("offer")).toHaveAttribute("data-offer", "update");
  expect(await version(page)).toBeNull();
  await page.getByTestId("offer-dismiss").click();
  await expect(page.getByTestId("offer")).toBeHidden();
  await page.reload();
  await page.getByTestId("offer-accept").click();
  await expect(page.locator("html")).toHaveAttribute("data-version", "a2");
  await expect(page.getByTestId("offer")).not.toHaveAttribute("data-offer", "update");
});

test("while something is recorded no update is offered or made; afterwards it is", async ({ page, context }) => {
  await openAndKeep(page, site, "&speed=1");
  await model(page);
  await page.getByTestId("replay").click();
  await expect(page.getByTestId("activity")).not.toHaveAttribute("data-activity", "");
  await site.deploy("b2");
  // The browser looks for a newer worker each time a page is opened.
  const other = await context.newPage();
  await other.goto(`${site.url}?device=cpu`);
  await expect(other.getByTestId("offer")).toHaveAttribute("data-offer", "update");
  await expect(page.getByTestId("offer")).toBeHidden();
  // Not from another tab either.
  await other.getByTestId("offer-accept").click();
  await expect(other.getByTestId("offer")).toContainText("Another tab is recording");
  await expect(page.getByTestId("offer")).toBeHidden();
  const windows = async () => Number(await page.getByTestId("windows").textContent());
  const before = await windows();
  await expect.poll(windows).toBeGreaterThan(before + 1);
  expect(await version(page)).toBeNull();
  await page.getByTestId("stop").click();
  await expect(page.getByTestId("offer")).toHaveAttribute("data-offer", "update");
  await page.getByTestId("offer-accept").click();
  await expect(page.locator("html")).toHaveAttribute("data-version", "b2");
  await expect(other.locator("html")).toHaveAttribute("data-version", "b2");
});

test("a browser that allows no service worker runs the page all the same", async ({ page }) => {
  await page.addInitScript(() => {
    navigator.serviceWorker.register = () => Promise.reject(new DOMException("switched off", "SecurityError"));
  });
  await page.goto(`${site.url}?device=cpu&speed=12`);
  await model(page);
  await page.getByTestId("replay").click();
  await expect(page.getByTestId("activity")).toHaveAttribute("data-activity", "walking");
});

test("storage is asked to be kept when the first recording starts, inside the tap, and not before", async ({ page }) => {
  await page.addInitScript(() => {
    const asked: boolean[] = ((window as unknown as { asked: boolean[] }).asked = []);
    navigator.storage.persisted = async () => false;
    navigator.storage.persist = async () => {
      asked.push(navigator.userActivation.isActive);
      return true;
    };
  });
  const asked = () => page.evaluate(() => (window as unknown as { asked: boolean[] }).asked);
  await openAndKeep(page, site);
  expect(await asked()).toEqual([]);
  await page.getByTestId("start").click();
  await expect.poll(asked).toEqual([true]);
});

/** What Chromium does when a page can be installed; the tests' browser, which forgets everything, never does. */
async function offerInstall(page: Page, outcome: "accepted" | "dismissed"): Promise<void> {
  await page.evaluate((outcome) => {
    const event = new Event("beforeinstallprompt", { cancelable: true });
    const prompt = async () => {
      document.documentElement.dataset.prompted = "";
      return { outcome };
    };
    window.dispatchEvent(Object.assign(event, { prompt }));
    document.documentElement.dataset.prevented = String(event.defaultPrevented);
  }, outcome);
}

test("installing is offered after the first recording, and never again after a no", async ({ page }) => {
  await page.goto(`${site.url}?device=cpu&speed=12`);
  await model(page);
  await offerInstall(page, "dismissed");
  await expect(page.locator("html")).toHaveAttribute("data-prevented", "true");
  await expect(page.getByTestId("offer")).toBeHidden();
  await page.getByTestId("replay").click();
  await expect(page.getByTestId("activity")).toHaveAttribute("data-activity", "walking");
  await page.getByTestId("stop").click();
  await expect(page.getByTestId("offer")).toHaveAttribute("data-offer", "install");
  await page.getByTestId("offer-accept").click();
  await expect(page.locator("html")).toHaveAttribute("data-prompted", "");
  await expect(page.getByTestId("offer")).toBeHidden();
  await page.reload();
  await model(page);
  await offerInstall(page, "accepted");
  await expect(page.getByTestId("offer")).toBeHidden();
});

test("on iOS, which has no prompt, it is told how to put the page on the home screen", async ({ page }) => {
  await page.addInitScript(() => {
    Object.defineProperty(navigator, "standalone", { value: false });
    Object.defineProperty(navigator, "maxTouchPoints", { value: 5 });
  });
  await page.goto(`${site.url}?device=cpu`);
  await model(page);
  await expect(page.getByTestId("offer")).toBeHidden();
  await page.reload();
  await expect(page.getByTestId("offer")).toHaveAttribute("data-offer", "install-by-hand");
  await expect(page.getByTestId("offer")).toContainText("Add to Home Screen");
  await page.getByTestId("offer-dismiss").click();
  await page.reload();
  await model(page);
  await expect(page.getByTestId("offer")).toBeHidden();
});
