// The package's worker on an adapter that does not say that it is software.

import "./real-gpu.js";
import "/pkg/dist/worker.js";
