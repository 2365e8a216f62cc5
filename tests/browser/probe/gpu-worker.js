// The package's worker with a look at its GPU memory, and a way to lose its GPU and the worker itself.

import "./gpu.js";
import "/pkg/dist/worker.js";
