// The page: what it is made of, and who tells whom.

import "./pwa/trusted-types.ts";
import "@fontsource/instrument-serif/latin-400.css";
import "./styles/index.css";
import { applyTheme } from "./appearance.ts";
import { element } from "./dom.ts";
import { ModelHolder } from "./model.ts";
import { startPwa } from "./pwa/pwa.ts";
import { refresh, route } from "./router.ts";
import { onChoice } from "./settings.ts";
import { translate } from "./strings/index.ts";
import { Tracker } from "./tracker.ts";
import { DataView } from "./views/data.ts";
import { DayView } from "./views/day.ts";
import { HistoryView } from "./views/history.ts";
import { NowView } from "./views/now.ts";
import { SettingsView } from "./views/settings.ts";
import { WordsView } from "./views/words.ts";

translate(document);
applyTheme();

const model = new ModelHolder();
const tracker = new Tracker(model);
const now = new NowView(model, tracker);
const labels = () => model.info?.labels ?? [];

route({
  now,
  day: new DayView(element("view-day"), labels),
  history: new HistoryView(element("view-history"), labels),
  words: new WordsView(element("view-words"), model, tracker),
  data: new DataView(element("view-data"), model, tracker),
  settings: new SettingsView(element("view-settings"), () => model.info),
});
model.load();
startPwa({ banner: element("banner"), loaded: model.current });

onChoice((changed) => {
  if (changed.has("theme")) applyTheme();
  if (changed.has("language")) {
    translate(document);
    refresh();
  }
  // What is followed goes on with the model it began with.
  if (changed.has("device") || changed.has("model")) tracker.whenIdle(() => model.load());
});
