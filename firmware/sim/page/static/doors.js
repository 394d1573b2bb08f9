// The relays and the doors that they open.

const SVG = 'http://www.w3.org/2000/svg';

function svg(name, attributes, parent) {
  const e = document.createElementNS(SVG, name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  if (parent) parent.append(e);
  return e;
}

// relayDrawing is a coil and its contact, as circuit diagrams have them.
function relayDrawing() {
  const root = svg('svg', {viewBox: '0 0 120 56', class: 'relay', 'aria-hidden': 'true'});
  svg('path', {d: 'M2 28H22M58 28H66M104 20H118', class: 'wire'}, root);
  svg('rect', {x: 22, y: 14, width: 36, height: 28, rx: 2, class: 'coil'}, root);
  svg('path', {d: 'M22 42L58 14', class: 'coil-line'}, root);
  svg('path', {d: 'M58 28H74', class: 'link'}, root);
  svg('circle', {cx: 78, cy: 38, r: 3, class: 'pole'}, root);
  svg('circle', {cx: 104, cy: 20, r: 3, class: 'pole'}, root);
  svg('path', {d: 'M78 38L104 38', class: 'contact'}, root);
  return root;
}

export class Doors {
  constructor(root, relays) {
    this.doors = new Map();
    relays.forEach((relay, i) => {
      const figure = document.createElement('figure');
      figure.className = i === 0 ? 'door main' : 'door side';
      figure.dataset.open = 'false';
      figure.dataset.relay = relay;
      figure.setAttribute('role', 'img');
      const frame = document.createElement('div');
      frame.className = 'frame';
      const leaf = document.createElement('div');
      leaf.className = 'leaf';
      const pane = document.createElement('div');
      pane.className = 'pane';
      const handle = document.createElement('div');
      handle.className = 'handle';
      leaf.append(pane, handle);
      frame.append(leaf);
      const caption = document.createElement('figcaption');
      figure.append(relayDrawing(), frame, caption);
      root.append(figure);
      this.doors.set(relay, {figure, caption, name: relay});
      this.show(relay, false);
    });
  }

  // name gives the doors the names that the panel has for them.
  name(names) {
    [...this.doors.values()].forEach((door, i) => {
      if (names[i] && door.name !== names[i]) {
        door.name = names[i];
        this.words(door);
      }
    });
  }

  show(relay, open) {
    const door = this.doors.get(relay);
    if (!door) return;
    door.open = open;
    door.figure.dataset.open = String(open);
    this.words(door);
  }

  words(door) {
    const text = `${door.name}: ${door.open ? 'open, relay drawn' : 'closed, relay at rest'}`;
    door.figure.setAttribute('aria-label', text);
    const [strong, small] = [document.createElement('strong'), document.createElement('span')];
    strong.textContent = door.name;
    small.textContent = door.open ? 'open · relay drawn' : 'closed · relay at rest';
    door.caption.replaceChildren(strong, small);
  }
}
