// The relays and the doors that they open, with what a hand can do there.

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

// What the panel says of a door that has a contact.
const CONTACTS = {closed: 'closed', open: 'stands open', held: 'open for too long', forced: 'forced', lost: 'contact lost'};

function hand(text, does) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'toggle hand';
  button.textContent = text;
  button.addEventListener('click', does);
  return button;
}

export class Doors {
  // relays are those of the board; move(input, active) moves a contact, and
  // press(input) presses a button.
  constructor(root, relays, move, press) {
    this.doors = new Map();
    relays.forEach(({name: relay, contact, exit}, i) => {
      const figure = document.createElement('figure');
      figure.className = i === 0 ? 'door main' : 'door side';
      figure.dataset.open = 'false';
      figure.dataset.relay = relay;
      figure.setAttribute('role', 'group');
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
      const door = {figure, caption, name: relay, contact};
      if (contact) {
        door.push = hand('Open the door', () => move(contact, door.stands));
        door.push.dataset.push = relay;
        figure.append(door.push);
      }
      if (exit) {
        const leave = hand('Exit button', () => press(exit));
        leave.dataset.exit = relay;
        figure.append(leave);
      }
      this.doors.set(relay, door);
      this.show(relay, false);
      if (contact) this.lean(contact, true);
    });
  }

  // know gives the doors the names that the panel has for them, and what it
  // knows of them.
  know(list) {
    [...this.doors.values()].forEach((door, i) => {
      const {name, contact} = list[i] || {};
      if (name && (door.name !== name || door.says !== contact)) {
        door.name = name;
        door.says = contact;
        this.words(door);
      }
    });
  }

  // lean shows the leaf of the door with this contact.
  lean(contact, closed) {
    for (const door of this.doors.values()) {
      if (door.contact !== contact) continue;
      door.stands = !closed;
      door.figure.dataset.leaf = closed ? 'closed' : 'open';
      this.words(door);
    }
  }

  show(relay, open) {
    const door = this.doors.get(relay);
    if (!door) return;
    door.open = open;
    door.figure.dataset.open = String(open);
    this.words(door);
  }

  words(door) {
    const relay = door.open ? 'relay drawn' : 'relay at rest';
    let leaf = door.open ? 'open' : 'closed';
    if (door.contact) leaf = door.stands ? CONTACTS.open : CONTACTS.closed;
    if (door.says === 'held' || door.says === 'forced') leaf = CONTACTS[door.says];
    if (door.push) {
      door.push.textContent = door.stands ? 'Push it shut' : door.open ? 'Open the door' : 'Force the door';
    }
    door.figure.setAttribute('aria-label', `${door.name}: ${leaf}, ${relay}`);
    const [strong, small] = [document.createElement('strong'), document.createElement('span')];
    strong.textContent = door.name;
    small.textContent = `${leaf} · ${relay}`;
    door.caption.replaceChildren(strong, small);
  }
}
