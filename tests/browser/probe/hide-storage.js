// Takes the means to store away from everything that runs after this module, as browsers without them have it: OPFS, and with
// `?nothing` in the worker's address the Cache API too.

delete FileSystemFileHandle.prototype.createSyncAccessHandle;
if (location.search === "?nothing") Object.defineProperty(self, "caches", { value: undefined });
