// A line at the top of the page with something that can be done, or put off. One at a time; what matters more goes first.

import { button, h } from "../dom.ts";

/** An offer. */
export interface Offer {
  /** What it is about, for the tests and for putting it in order. */
  name: "update" | "install" | "install-by-hand";
  text: string;
  /** The button that takes it up, if something can be done at once. */
  accept?: { label: string; act: () => void };
  /** The button that puts it off. */
  dismiss: { label: string; act?: () => void };
}

/** Offers shown at the end of an element of the page, which has the role `status`, so that they are read out. */
export class Banner {
  readonly #element = h("div", { class: "offer", "data-testid": "offer" });
  readonly #offers = new Map<Offer["name"], Offer>();

  constructor(place: HTMLElement) {
    place.append(this.#element);
    this.#draw();
  }

  /** Shows an offer, at once or when there is none before it. */
  show(offer: Offer): void {
    this.#offers.set(offer.name, offer);
    this.#draw();
  }

  hide(name: Offer["name"]): void {
    if (this.#offers.delete(name)) this.#draw();
  }

  #draw(): void {
    const offer = this.#offers.get("update") ?? this.#offers.values().next().value;
    this.#element.hidden = !offer;
    if (offer) this.#element.dataset.offer = offer.name;
    else delete this.#element.dataset.offer;
    if (!offer) return this.#element.replaceChildren();
    const { accept, dismiss } = offer;
    const later = () => {
      this.hide(offer.name);
      dismiss.act?.();
    };
    this.#element.replaceChildren(
      h("p", {}, offer.text),
      h(
        "p",
        { class: "actions" },
        accept && button(accept.label, accept.act, { class: "primary", "data-testid": "offer-accept" }),
        button(dismiss.label, later, { "data-testid": "offer-dismiss" }),
      ),
    );
  }
}
