// The little of a browser that the page uses, typed here: lib.dom would give its globals to all of
// the program. Text only ever enters as text nodes and attributes, so no word is markup.
export type Happening = {
  readonly key: string;
  readonly target: Element;
  preventDefault(): void;
};

export type Element = {
  value: string;
  hidden: boolean;
  textContent: string | null;
  append(...children: readonly Child[]): void;
  replaceChildren(...children: readonly Child[]): void;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  addEventListener(kind: string, listener: (event: Happening) => void): void;
  focus(): void;
  scrollIntoView(options: { readonly block: string }): void;
};

export type Child = Element | string;

type Browser = {
  readonly document: {
    readonly activeElement: Element | null;
    getElementById(id: string): Element | null;
    createElement(name: string): Element;
    createElementNS(space: string, name: string): Element;
    addEventListener(kind: string, listener: (event: Happening) => void): void;
  };
  readonly location: { hash: string };
  readonly history: { replaceState(data: null, title: string, url: string): void };
  matchMedia(query: string): { readonly matches: boolean };
  addEventListener(kind: string, listener: () => void): void;
};

export const browser = globalThis as unknown as Browser;

type Attributes = Readonly<Record<string, string | number>>;

function filled(element: Element, attributes: Attributes, children: readonly Child[]): Element {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** An element of HTML. */
export function html(name: string, attributes: Attributes, ...children: Child[]): Element {
  return filled(browser.document.createElement(name), attributes, children);
}

/** An element of SVG. */
export function svg(name: string, attributes: Attributes, ...children: Child[]): Element {
  const space = 'http://www.w3.org/2000/svg';
  return filled(browser.document.createElementNS(space, name), attributes, children);
}

/** A button, which does `act`. */
export function button(attributes: Attributes, act: () => void, ...children: Child[]): Element {
  const made = html('button', { type: 'button', ...attributes }, ...children);
  made.addEventListener('click', act);
  return made;
}

/** An element of the page as it was written. */
export function byId(id: string): Element {
  return browser.document.getElementById(id)!;
}
