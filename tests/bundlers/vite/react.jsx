// Renders the component as React's strict mode does: mounted, taken away and mounted again.

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Removable } from "./app/activity.jsx";

createRoot(document.querySelector("#root")).render(
  <StrictMode>
    <Removable />
  </StrictMode>,
);
