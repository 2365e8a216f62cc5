// The package's worker, telling of kernels with subgroups.

import "./subgroups.js";
import "/pkg/dist/worker.js";
