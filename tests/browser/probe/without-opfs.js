// The package's worker in a browser that cannot write to OPFS; with `?nothing` it can store nowhere.

import "./hide-storage.js";
import "/pkg/dist/worker.js";
