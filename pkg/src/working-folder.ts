// What relative addresses are relative to where there is no page.

/** The folder in which Node was started, as an address that ends in a slash; undefined in a browser. */
export function workingFolder(): string | undefined {
  // Not an import: bundlers for the browser cannot resolve `node:url`.
  const url = globalThis.process?.getBuiltinModule?.("node:url");
  return url?.pathToFileURL(`${process.cwd()}/`).href;
}
