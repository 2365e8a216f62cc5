// The package's worker, with a lock that tells when it has ended.

import "./hold-lock.js";
import "/pkg/dist/worker.js";
