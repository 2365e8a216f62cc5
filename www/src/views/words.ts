// The Words view: a stretch of motion described, questions about it answered, with the signal and the facts beside the words.

import type { Samples } from "sensorllm";
import { button, h, renew } from "../dom.ts";
import type { History } from "../history/types.ts";
import { memory } from "../memory.ts";
import type { ModelHolder } from "../model.ts";
import { AskedAbout } from "../parts/asked-about.ts";
import { FactsPanel } from "../parts/facts.ts";
import { tellError } from "../parts/notice.ts";
import type { View } from "../router.ts";
import { language, t } from "../strings/index.ts";
import type { Tracker } from "../tracker.ts";

/** Questions that are one tap away. The model reads English. */
const SUGGESTED = [
  ["words.suggest.steps", "How many steps a minute?"],
  ["words.suggest.doing", "What am I doing?"],
  ["words.suggest.vertical", "How does the vertical acceleration change?"],
  ["words.suggest.held", "How is the phone held?"],
] as const;

/** How often it is looked whether there is enough motion to ask about by now, in milliseconds. */
const LOOK_MS = 1000;

export class WordsView implements View {
  readonly #root: HTMLElement;
  readonly #model: ModelHolder;
  readonly #tracker: Tracker;

  constructor(root: HTMLElement, model: ModelHolder, tracker: Tracker) {
    this.#root = root;
    this.#model = model;
    this.#tracker = tracker;
  }

  enter([stretch]: string[], signal: AbortSignal): void {
    const page = new WordsPage(this.#model, this.#tracker, signal);
    renew(this.#root, ...page.elements);
    void page.fill(stretch);
  }
}

/** The view as it was entered once. */
class WordsPage {
  readonly #model: ModelHolder;
  readonly #signal: AbortSignal;
  readonly #about: AskedAbout;
  readonly #facts: FactsPanel;
  readonly #question = h("input", {
    type: "text",
    name: "question",
    maxlength: 200,
    autocomplete: "off",
    enterkeyhint: "send",
    placeholder: t("words.question-hint"),
    "aria-label": t("words.question"),
    "aria-describedby": language() === "en" ? undefined : "words-english",
    "data-testid": "question",
  });
  readonly #describe = button(t("words.describe"), () => void this.#answer(""), { class: "primary", "data-testid": "describe" });
  readonly #ask = h("button", { type: "submit", "data-testid": "ask" }, t("words.ask"));
  readonly #cancel = button(t("words.cancel"), () => this.#answering?.abort(), { "data-testid": "cancel", hidden: true });
  readonly #asked = h("p", { class: "eyebrow", "data-testid": "asked" });
  // The model's own words are English, whatever the page speaks.
  readonly #text = h("p", { class: "answer", lang: "en", "data-testid": "answer", "data-state": "idle", "aria-live": "polite" });
  readonly #answered = h("section", { class: "answered", "aria-label": t("words.answer") }, this.#asked, this.#text);
  readonly #told = h("p", { class: "aside", role: "status", "data-testid": "words-status" });
  #history: History | undefined;
  #answering: AbortController | undefined;

  constructor(model: ModelHolder, tracker: Tracker, signal: AbortSignal) {
    this.#model = model;
    this.#signal = signal;
    this.#about = new AskedAbout(tracker, this.#describe, this.#cancel);
    this.#facts = new FactsPanel(signal);
    signal.addEventListener("abort", () => this.#answering?.abort());
  }

  get elements(): Node[] {
    const ask = (event: Event) => {
      event.preventDefault();
      const question = this.#question.value.trim();
      if (question) void this.#answer(question);
      else this.#question.focus();
    };
    const suggest = (question: string) => () => {
      this.#question.value = question;
      void this.#answer(question);
    };
    return [
      h("h1", {}, t("words.title")),
      this.#about.element,
      h("form", { class: "ask", onsubmit: ask }, this.#question, this.#ask),
      ...(language() === "en" ? [] : [h("p", { class: "aside", id: "words-english", "data-testid": "english" }, t("words.english"))]),
      h("p", { class: "chips", role: "group", "aria-label": t("words.suggestions") }, ...SUGGESTED.map(([key, question]) => button(t(key), suggest(question), { "data-testid": "suggestion" }))),
      h("p", { class: "aside" }, t("words.how")),
      this.#told,
      this.#answered,
      this.#facts.element,
    ];
  }

  async fill(stretch: string | undefined): Promise<void> {
    // Without a memory, what has just happened can be asked about all the same.
    this.#history = await memory().catch(() => undefined);
    await this.#about.fill(this.#history, stretch).catch((problem: unknown) => tellError(this.#told, problem));
    if (this.#signal.aborted) return;
    if (!this.#about.any) this.#told.textContent = t("words.nothing");
    const timer = setInterval(() => {
      this.#about.refresh();
      if (this.#about.any && this.#told.textContent === t("words.nothing")) this.#told.textContent = "";
    }, LOOK_MS);
    this.#signal.addEventListener("abort", () => clearInterval(timer));
    const model = await this.#model.current.catch(() => undefined);
    if (!model || model.info.words) return;
    this.#told.textContent = t("words.none");
    for (const control of [this.#describe, this.#ask]) control.disabled = true;
  }

  /** Answers a question, or describes, as the words come. */
  async #answer(question: string): Promise<void> {
    this.#answering?.abort();
    const own = new AbortController();
    this.#answering = own;
    const { signal } = own;
    this.#told.textContent = "";
    this.#asked.textContent = question || t("words.describe");
    if (question) this.#asked.lang = "en";
    else this.#asked.removeAttribute("lang");
    this.#text.textContent = "";
    this.#show("streaming");
    try {
      const { placement } = this.#about;
      const samples = await this.#about.samples(this.#history);
      if (!samples || signal.aborted) {
        this.#told.textContent = this.#about.any ? t("words.no-motion") : t("words.nothing");
        return this.#show("idle");
      }
      const model = await this.#model.current;
      await this.#stream(model.ask(samples, question, { placement, signal }), samples, question);
      this.#show("done");
    } catch (error) {
      if (own !== this.#answering) return;
      if (!signal.aborted) tellError(this.#told, error);
      else this.#told.textContent = t("words.cancelled");
      this.#show(signal.aborted ? "cancelled" : "failed");
    }
  }

  async #stream(events: ReturnType<Awaited<ModelHolder["current"]>["ask"]>, samples: Samples, question: string): Promise<void> {
    for await (const event of events) {
      if (event.kind === "facts") this.#facts.show(samples, event.facts, question);
      this.#text.append(event.text);
    }
    // A question that names no channel may be answered with one.
    this.#facts.speakOf(this.#text.textContent ?? "");
  }

  #show(state: "idle" | "streaming" | "done" | "cancelled" | "failed"): void {
    this.#text.dataset.state = state;
    // Read out as a whole, not word by word.
    this.#text.setAttribute("aria-busy", String(state === "streaming"));
    const streaming = state === "streaming";
    const focused = document.activeElement;
    this.#cancel.hidden = !streaming;
    this.#describe.hidden = streaming;
    // The one is where the other was.
    if (streaming && focused === this.#describe) this.#cancel.focus({ preventScroll: true });
    if (!streaming && focused === this.#cancel) this.#describe.focus({ preventScroll: true });
    // With the answer at the top, the signal that it speaks of is in sight too.
    if (streaming) this.#answered.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }
}
