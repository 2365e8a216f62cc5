// A page rendered on the server, with the client component in it.

import { Activity } from "./activity";

export default function Page() {
  return <Activity />;
}
