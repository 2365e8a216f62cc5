// Making and finding elements, without a framework.

type Value = string | number | boolean | undefined;
type Listener = (event: Event) => void;
export type Child = Node | string | undefined | false;

/** The element with this id. That it is there is a promise of index.html. */
export function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no element "${id}".`);
  return found as T;
}

/**
 * An element with attributes and children. A function is a listener (`onclick`); `false` and `undefined` leave an attribute or a
 * child out. Not for `style`, whose attribute the Content-Security-Policy of a strict host forbids: see {@link vary}.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, Value | Listener> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== undefined && value !== false) made.setAttribute(name, String(value));
  }
  made.append(...children.filter((child) => child !== undefined && child !== false));
  return made;
}

/** A button that does one thing. */
export function button(text: string, onclick: Listener, attributes: Record<string, Value> = {}): HTMLButtonElement {
  return h("button", { type: "button", ...attributes, onclick }, text);
}

/** Sets custom properties, such as the share of a bar, which the style sheet turns into a length. */
export function vary<T extends HTMLElement>(target: T, properties: Record<`--${string}`, number>): T {
  for (const [name, value] of Object.entries(properties)) target.style.setProperty(name, String(value));
  return target;
}

/** What a colour of the style sheet (`--ink`) comes to in this place, for a canvas, which reads no custom properties. */
export function colour(place: Element, name: string): string {
  const probe = place.appendChild(h("i", { hidden: true }));
  probe.style.color = `var(${name})`;
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** Replaces children, and gives the focus back to what stands for the element that had it: the one with the same `data-id`. */
export function renew(parent: HTMLElement, ...children: Child[]): void {
  const focused = parent.contains(document.activeElement) ? (document.activeElement as HTMLElement).dataset.id : undefined;
  parent.replaceChildren(...children.filter((child) => child !== undefined && child !== false));
  if (focused) parent.querySelector<HTMLElement>(`[data-id="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}
