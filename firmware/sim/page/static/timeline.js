// The picture of a call: lanes over time, drawn from the panel's own record.

const SVG = 'http://www.w3.org/2000/svg';
const MS = 1e6; // nanoseconds

function make(name, attributes, parent, text) {
  const e = document.createElementNS(SVG, name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  if (text !== undefined) e.textContent = text;
  parent.append(e);
  return e;
}

function html(name, parent, text, className) {
  const e = document.createElement(name);
  if (text !== undefined) e.textContent = text;
  if (className) e.className = className;
  parent.append(e);
  return e;
}

// took writes a time as people read it.
export function took(ns) {
  const ms = ns / MS;
  if (Math.abs(ms) < 10) return `${ms.toFixed(2)} ms`;
  if (Math.abs(ms) < 1000) return `${ms.toFixed(0)} ms`;
  return `${(ms / 1000).toFixed(2)} s`;
}

const WORDS = {
  'press': 'press', 'incoming': 'incoming call', 'invite': 'INVITE', 'ringing': 'rings', 'early-answer': 'early answer',
  'learnt': 'phone known', 'first-video-out': 'picture out', 'key-frame-out': 'key frame', 'first-audio-in': 'sound in', 'answered': 'answered',
  'ack': 'ACK', 'first-audio-out': 'sound out', 'first-video-in': 'picture in', 'digit': 'digit', 'code-right': 'code right',
  'code-wrong': 'code wrong', 'code-locked': 'locked out', 'open-asked': 'local opening', 'door-asked': 'guard asked',
  'relay-on': 'relay drawn', 'relay-off': 'relay at rest', 'door-failed': 'door failed', 'picture-wanted': 'picture wanted',
  're-offer': 'new offer', 'cancelled': 'CANCEL', 'refused': 'refused', 'hung-up': 'hung up', 'media-lost': 'media lost',
  'warning': 'warning', 'second-press': 'second press', 'signal': 'signal', 'stage': 'next phones', 'done': 'end',
  'exit-pressed': 'exit button', 'door-opened': 'door opened', 'door-closed': 'door closed', 'door-forced': 'door forced', 'door-held': 'open too long',
  'door-unused': 'never opened', 'cover-opened': 'cover off', 'cover-closed': 'cover on', 'long-press': 'held down', 'part-lost': 'part lost', 'part-back': 'part back',
};
const words = (name) => WORDS[name] || name;

const DOOR = new Set(['exit-pressed', 'door-opened', 'door-closed', 'door-forced', 'door-held', 'door-unused', 'door-asked', 'relay-on', 'relay-off', 'door-failed', 'code-right', 'code-wrong', 'code-locked', 'open-asked']);
const LOUD = new Set(['door-opened', 'door-forced', 'door-held', 'door-unused', 'cover-opened', 'part-lost', 'press', 'answered', 'code-wrong', 'code-right', 'relay-on', 'hung-up', 'cancelled', 'refused', 'door-failed', 'media-lost', 'done']);

// lanes sorts the marks: the panel, one lane a leg, the door.
function lanes(call) {
  const legs = new Map();
  const panel = [];
  const door = [];
  for (const m of call.marks || []) {
    if (DOOR.has(m.name)) {
      door.push(m);
    } else if (m.leg) {
      if (!legs.has(m.leg)) legs.set(m.leg, []);
      legs.get(m.leg).push(m);
    } else {
      panel.push(m);
    }
  }
  const all = [{title: 'panel', marks: panel, spans: []}];
  for (const [leg, marks] of legs) {
    const target = marks.find((m) => m.name === 'invite' || m.name === 'incoming');
    const user = target && target.detail ? target.detail.replace(/^sips?:/, '').replace(/@.*/, '') : `leg ${leg}`;
    all.push({title: user, marks, spans: legSpans(marks, call)});
  }
  all.push({title: 'door', marks: door, spans: doorSpans(door, call)});
  return all;
}

const at = (marks, ...names) => marks.find((m) => names.includes(m.name))?.at_ns;

// end is the end of a call, or now while it runs.
function end(call) {
  const last = (call.marks || []).at(-1);
  const marked = last ? last.at_ns : 0;
  if (call.result) return Math.max(call.ended_ns || 0, marked);
  return Math.max(marked, (Date.now() - Date.parse(call.began)) * MS);
}

function legSpans(marks, call) {
  const spans = [];
  const over = at(marks, 'hung-up', 'cancelled', 'refused', 'media-lost') ?? end(call);
  const rings = at(marks, 'ringing', 'early-answer');
  const answered = at(marks, 'answered');
  const picture = at(marks, 'first-video-out', 'key-frame-out');
  if (rings !== undefined) spans.push({from: rings, to: answered ?? over, kind: 'ring', text: 'rings'});
  if (answered !== undefined) spans.push({from: answered, to: over, kind: 'talk', text: 'talk'});
  if (picture !== undefined) spans.push({from: picture, to: over, kind: 'picture', text: 'picture'});
  return spans;
}

function doorSpans(marks, call) {
  const spans = [];
  let on;
  for (const m of marks) {
    if (m.name === 'relay-on') on = m.at_ns;
    if (m.name === 'relay-off' && on !== undefined) {
      spans.push({from: on, to: m.at_ns, kind: 'open', text: 'open'});
      on = undefined;
    }
  }
  if (on !== undefined) spans.push({from: on, to: Math.max(on, end(call)), kind: 'open', text: 'open'});
  return spans;
}

// step is the distance of two lines of the time axis, in ns.
function step(span, width) {
  const least = span * 80 / width;
  for (const ms of [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 30000, 60000]) {
    if (ms * MS >= least) return ms * MS;
  }
  return 120000 * MS;
}

const LEFT = 64;
const RIGHT = 16;
const LANE = 58;
const TOP = 26;

function axis(root, span, x, height, width) {
  const by = step(span, width);
  for (let t = 0; t <= span; t += by) {
    make('path', {d: `M${x(t)} ${TOP - 8}V${height - 4}`, class: 'grid'}, root);
    make('text', {x: x(t), y: 12, class: 'tick', 'text-anchor': 'middle'}, root, t < 1000 * MS && by < 1000 * MS ? `${t / MS} ms` : `${t / MS / 1000} s`);
  }
}

// drawMarks draws a lane's marks, and writes the loud ones above it as long as
// there is room.
function drawMarks(root, lane, y, x, width) {
  let free = LEFT;
  for (const m of lane.marks) {
    const px = x(m.at_ns);
    const loud = LOUD.has(m.name);
    const dot = make('circle', {cx: px, cy: y, r: loud ? 4.5 : 3, class: `mark ${m.name}${loud ? ' loud' : ''}`}, root);
    make('title', {}, dot, `${words(m.name)}${m.detail ? ` (${m.detail})` : ''} at ${took(m.at_ns)}`);
    if (!loud) continue;
    const text = words(m.name);
    const room = text.length * 6.2;
    const from = Math.min(Math.max(px - room / 2, LEFT), width - room - 4);
    if (from < free) continue;
    make('text', {x: from, y: y - 11, class: 'word'}, root, text);
    free = from + room + 8;
  }
}

// draw makes the picture of one call for a width in pixels.
export function draw(call, width) {
  const all = lanes(call);
  const height = TOP + all.length * LANE;
  const span = Math.max(end(call) * 1.02, 50 * MS);
  const x = (ns) => LEFT + Math.max(0, ns) / span * (width - LEFT - RIGHT);
  const root = document.createElementNS(SVG, 'svg');
  root.setAttribute('viewBox', `0 0 ${width} ${height}`);
  root.setAttribute('role', 'img');
  root.setAttribute('class', 'timeline');
  root.setAttribute('aria-label', `timeline of ${call.flat || call.button ? `the call for ${call.flat || call.button}` : 'what happened at the door'}: ${call.why || ''}`);
  axis(root, span, x, height, width);
  all.forEach((lane, i) => {
    const y = TOP + i * LANE + LANE / 2 + 4;
    make('text', {x: 4, y: y + 4, class: 'lane'}, root, lane.title);
    make('path', {d: `M${LEFT} ${y}H${width - RIGHT}`, class: 'rail'}, root);
    for (const s of lane.spans) {
      const high = s.kind === 'picture' ? 5 : 14;
      const top = s.kind === 'picture' ? y + 9 : y - 7;
      const bar = make('rect', {x: x(s.from), y: top, width: Math.max(2, x(s.to) - x(s.from)), height: high, rx: 2.5, class: `span ${s.kind}`}, root);
      make('title', {}, bar, `${s.text}: ${took(s.to - s.from)}`);
    }
    drawMarks(root, lane, y, x, width);
  });
  return root;
}

// explain puts the words beside the picture: why, the times, every mark.
export function explain(call, root, open) {
  html('p', root, call.why || '', 'why');
  if (call.figures.length) {
    const figures = html('dl', root, undefined, 'figures');
    for (const f of call.figures) {
      const pair = html('div', figures);
      html('dt', pair, f.label);
      html('dd', pair, took(f.took_ns));
    }
  }
  const details = html('details', root);
  details.open = open;
  html('summary', details, `All ${call.marks.length} marks`);
  const table = html('table', details);
  const head = html('tr', html('thead', table));
  for (const title of ['time', 'what', 'leg', 'detail']) html('th', head, title).scope = 'col';
  const body = html('tbody', table);
  for (const m of call.marks) {
    const row = html('tr', body);
    html('td', row, took(m.at_ns));
    html('td', row, words(m.name));
    html('td', row, m.leg ? String(m.leg) : '');
    html('td', row, m.detail || '');
  }
}
