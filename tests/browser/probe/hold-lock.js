// Holds the lock `probe-worker` for as long as the worker lives that runs this module: browsers give the locks of ended workers back.

void navigator.locks.request("probe-worker", () => new Promise(() => {}));
