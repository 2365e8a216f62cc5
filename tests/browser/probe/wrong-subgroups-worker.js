// The package's worker on a driver whose subgroups are faulty.

import "./subgroups.js?wrong";
import "/pkg/dist/worker.js";
