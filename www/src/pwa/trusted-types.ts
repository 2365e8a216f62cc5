// Lets scripts come from the page's own origin alone, whoever starts them. To be imported before anything that starts a worker.
//
// The page's policy requires trusted types, where the browser has them: text never becomes markup or script, and what becomes the
// address of a worker goes through here.

interface TrustedTypes {
  createPolicy(name: "default", rules: { createScriptURL(address: string): string }): unknown;
}

(window as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy("default", {
  createScriptURL(address) {
    if (new URL(address, document.baseURI).origin !== location.origin) throw new TypeError(`${address} is not a script of this page.`);
    return address;
  },
});

export {};
