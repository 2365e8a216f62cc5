// The package's worker with a look at its memory: answers on the channel `memory` how many bytes of wasm memory it has.

import "./probe.js";
import "/pkg/dist/worker.js";
