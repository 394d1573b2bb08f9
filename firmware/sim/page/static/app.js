// The page: the panel outside, the phone inside, the door between them.

import {Doors} from './doors.js';
import {Stream, ask, tell, wish} from './net.js';
import {Picture} from './picture.js';
import {Ear, Mouth, wake} from './sound.js';
import {draw, explain} from './timeline.js';

const $ = (id) => document.getElementById(id);
const KEYS = '123456789*0#';
const ROLES = {'ir-lamp': 'infra-red', 'ir-cut': 'filter', 'camera-power': 'camera', 'lock-power': 'lock', 'sounder': 'sounder'};
const SIGNALS = {
  'ringback': 'ringing tone', 'busy': 'busy tone', 'refused': 'declined', 'no-answer': 'nobody answers',
  'unreachable': 'not reachable', 'network-lost': 'no network', 'not-configured': 'nobody lives here', 'warning': 'the call ends soon', 'ended': 'the call is over',
  'code-accepted': 'code accepted', 'code-rejected': 'code rejected', 'door-open': 'the door is open', 'door-failed': 'the door failed',
  'incoming': 'somebody is listening', 'door-held': 'a door is open for too long',
};

const scene = {panel: null, flats: [], chosen: 0, calls: [], status: null, call: null};
const ears = {door: new Ear(), flat: new Ear()};
const mouth = new Mouth();
let streams = {};
// A new connection makes the phone ask the panel for a key frame.
const picture = new Picture($('picture'), () => streams.video.again());
let doors = null;

// ---- outside ----

function buildPanel(what) {
  $('name').textContent = what.name;
  $('hint').textContent = what.hint;
  for (const lamp of what.lamps) {
    const li = document.createElement('li');
    li.dataset.lamp = lamp;
    li.textContent = lamp;
    $('lamps').append(li);
  }
  for (const b of what.buttons) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'bell';
    button.dataset.button = b.name;
    const [label, knob] = [document.createElement('span'), document.createElement('i')];
    label.className = 'label';
    knob.className = 'knob';
    button.append(label, knob);
    button.addEventListener('click', () => press(b.name));
    $('buttons').append(button);
  }
  nameButtons();
  for (const {name, role} of what.outputs) {
    const li = document.createElement('li');
    li.dataset.output = name;
    li.textContent = ROLES[role] || role;
    $('outputs').append(li);
  }
  $('cover').hidden = !what.covers.length;
  $('cover').addEventListener('click', () => move(what.covers[0], $('cover').getAttribute('aria-pressed') !== 'true'));
  doors = new Doors($('doors'), what.relays, move, press);
}

// nameButtons writes the flats on the name plates, as the panel has them.
function nameButtons() {
  const known = new Map((scene.status?.buttons || []).map((b) => [b.name, b.flat]));
  for (const b of scene.panel.buttons) {
    const button = $('buttons').querySelector(`[data-button="${b.name}"]`);
    const flat = known.get(b.name) || (known.size ? '' : b.label);
    button.querySelector('.label').textContent = flat || '–';
    button.setAttribute('aria-label', flat ? `ring ${flat}` : `button ${b.label || b.name}, without a name`);
  }
}

// move moves a contact or a switch, as a hand does.
async function move(input, active) {
  await wish('panel/move', {input, active});
  soon();
}

async function press(name) {
  wake().catch((e) => tell(`no sound: ${e.message}`));
  await wish('panel/press', {button: name});
  soon();
}

function showPanel(state) {
  for (const li of $('lamps').children) li.dataset.lit = String(!!state.lamps[li.dataset.lamp]);
  for (const b of $('buttons').children) b.dataset.pressed = String(!!state.buttons[b.dataset.button]);
  for (const [relay, drawn] of Object.entries(state.relays)) {
    if (doors.doors.get(relay)?.open !== drawn) soon();
    doors.show(relay, drawn);
  }
  for (const [input, active] of Object.entries(state.inputs)) doors.lean(input, active);
  for (const li of $('outputs').children) li.dataset.lit = String(!!state.outputs[li.dataset.output]);
  $('cover').setAttribute('aria-pressed', String(!!state.inputs[scene.panel.covers[0]]));
  $('level').style.inlineSize = `${Math.min(100, Math.sqrt(state.level) * 140)}%`;
  $('grille').style.setProperty('--loud', Math.min(1, state.level * 5).toFixed(2));
  scene.hears = state.plays || 'nothing';
  showPlays();
  $('plate').dataset.connected = String(state.connected);
  $('voice').textContent = {
    microphone: 'Your microphone speaks for the visitor.',
    sample: 'A spoken sample speaks for the visitor, as long as somebody listens.',
  }[state.voice] || 'When somebody answers, a spoken sample speaks for the visitor.';
}

function showPlays() {
  const signal = SIGNALS[scene.status?.call?.shows];
  const heard = scene.hears === 'silence' ? 'nothing' : scene.hears;
  // A signal stays named in its pauses, as between two bursts of a ringback.
  $('plays').textContent = signal && heard !== 'nothing' ? `${signal} (${heard})` : signal || heard;
}

// ---- inside ----

function buildPhone(names) {
  names.forEach((name, i) => {
    const b = document.createElement('button');
    b.type = 'button';
    b.textContent = name;
    b.addEventListener('click', () => choose(i));
    $('flats').append(b);
    scene.flats.push({name, status: null});
    new Stream(`phone/${i}/watch`, {
      message: (text) => showStatus(i, JSON.parse(text)),
      close: () => showStatus(i, null),
    });
  });
  for (const key of KEYS) {
    const b = document.createElement('button');
    b.type = 'button';
    b.dataset.key = key;
    b.textContent = key;
    b.disabled = true;
    b.addEventListener('click', () => digit(key));
    $('keypad').append(b);
  }
  choose(0);
}

// choose goes into another flat: its picture and sound are the ones we get.
function choose(i) {
  scene.chosen = i;
  [...$('flats').children].forEach((b, n) => b.setAttribute('aria-pressed', String(n === i)));
  picture.clear();
  for (const s of Object.values(streams)) s.stop();
  streams = {
    video: new Stream(`phone/${i}/video`, {message: (data) => picture.take(data), close: () => picture.reset()}),
    audio: new Stream(`phone/${i}/audio`, {message: (data) => ears.flat.hear(data)}),
  };
  showStatus(i, scene.flats[i].status);
}

function showStatus(i, status) {
  const before = scene.flats[i].status?.state;
  scene.flats[i].status = status;
  const now = status?.state || 'away';
  $('flats').children[i].dataset.state = now;
  if (before !== now) {
    soon();
    if (now === 'ringing') {
      const busy = scene.flats[scene.chosen].status?.state;
      if (i !== scene.chosen && busy !== 'talking' && busy !== 'ringing') choose(i);
    }
    const over = before === 'ringing' || before === 'talking';
    if (i === scene.chosen && over && now !== 'talking') picture.clear();
    if (i === scene.chosen && now !== 'talking') typed('');
  }
  if (i === scene.chosen) showPhone(status, now);
}

function showPhone(status, now) {
  const phone = $('phone');
  phone.dataset.state = now;
  $('answer').disabled = now !== 'ringing';
  $('hangup').disabled = now !== 'ringing' && now !== 'talking';
  $('hangup-text').textContent = now === 'ringing' ? 'Decline' : 'Hang up';
  for (const b of $('keypad').children) b.disabled = !(now === 'talking' && status.talk);
  const line = {
    away: 'the phone is unplugged', idle: status?.ended ? `idle — ${status.ended}` : 'idle',
    ringing: `${status?.caller} rings`, talking: status?.talk ? `talking to ${status.caller}` : 'connecting the sound …',
  }[now];
  if ($('line').textContent !== line) $('line').textContent = line;
  const v = status?.video || {};
  const a = status?.audio || {};
  $('count').textContent = now === 'ringing' || now === 'talking'
    ? `picture: ${v.units} units in ${v.packets} packets on port ${v.port}; sound: ${a.received} packets in, ${a.sent} out` : '\u00a0';
}

// showPicture keeps the words on the screen true: what is not moving is not live.
function showPicture() {
  const now = $('phone').dataset.state;
  const live = now === 'ringing' || now === 'talking';
  let veil = '';
  if (picture.failed) veil = picture.failed;
  else if (!live) veil = 'no call';
  else if (!picture.drawn) veil = 'waiting for the picture …';
  else if (picture.stale()) veil = 'the picture has stopped';
  $('veil').textContent = veil;
  $('veil').hidden = !veil;
  $('badge').textContent = live && picture.drawn ? `${picture.rate().toFixed(0)} pictures/s` : '';
  $('hear-door').dataset.heard = String(ears.door.heard);
  $('hear-flat').dataset.heard = String(ears.flat.heard);
  requestAnimationFrame(() => setTimeout(showPicture, 150));
}

const mine = (path) => `phone/${scene.chosen}/${path}`;

function typed(text) { $('typed').textContent = text; }

async function digit(key) {
  if ($('phone').dataset.state !== 'talking') return;
  flash($('keypad').querySelector(`[data-key="${CSS.escape(key)}"]`));
  if (await wish(mine('digit'), {key})) {
    typed(('•'.repeat($('typed').textContent.length) + key).slice(-16));
    setTimeout(() => typed('•'.repeat($('typed').textContent.length)), 700);
    soon();
  }
}

function flash(button) {
  if (!button) return;
  button.classList.add('down');
  setTimeout(() => button.classList.remove('down'), 160);
}

$('answer').addEventListener('click', async () => {
  wake().catch((e) => tell(`no sound: ${e.message}`));
  await wish(mine('answer'));
  soon();
});

$('hangup').addEventListener('click', async () => {
  await wish(mine($('phone').dataset.state === 'ringing' ? 'decline' : 'hangup'));
  soon();
});

document.addEventListener('keydown', (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.repeat) return;
  if (KEYS.includes(e.key) && e.key.length === 1 && $('phone').dataset.state === 'talking') {
    e.preventDefault();
    digit(e.key);
  }
});

// ---- sound ----

function toggles() {
  for (const [id, ear] of [['hear-door', ears.door], ['hear-flat', ears.flat]]) {
    $(id).addEventListener('click', () => {
      ear.on = !ear.on;
      ear.heard = 0;
      $(id).setAttribute('aria-pressed', String(ear.on));
      wake().catch((e) => tell(`no sound: ${e.message}`));
    });
  }
  const speakers = {'speak-door': (frame) => scene.doorSound.send(frame), 'speak-flat': (frame) => streams.audio.send(frame)};
  for (const id of Object.keys(speakers)) {
    $(id).addEventListener('click', async () => {
      const on = $(id).getAttribute('aria-pressed') !== 'true';
      try {
        await mouth.lend(on ? speakers[id] : null);
      } catch (e) {
        tell(`The microphone is not available: ${e.message}`);
        return;
      }
      for (const other of Object.keys(speakers)) $(other).setAttribute('aria-pressed', String(on && other === id));
    });
  }
}

// ---- the record ----

let looking = 0;

// soon looks at the panel's records in a moment, once for many reasons.
function soon() {
  clearTimeout(looking);
  looking = setTimeout(look, 120);
}

async function look() {
  clearTimeout(looking);
  let pause = 3000;
  try {
    const {status, calls} = await ask('calls');
    scene.status = status;
    scene.calls = calls;
    showRecords();
    if (status.call.state !== 'idle') pause = 400;
  } catch (e) {
    scene.status = null;
    $('panel-note').textContent = e.message;
    $('state').textContent = 'the panel does not answer';
    $('state').dataset.state = 'away';
    pause = 1000;
  }
  looking = setTimeout(look, pause);
}

const STATES = {idle: 'ready', ringing: 'ringing', talking: 'talking', closing: 'ending the call'};

function showRecords() {
  const {status, calls} = scene;
  nameButtons();
  showPlays();
  doors.know(status.doors || []);
  const call = status.call;
  $('state').dataset.state = call.state;
  $('state').textContent = (STATES[call.state] || call.state) + (call.flat && call.state !== 'idle' ? ` — ${call.flat}` : '');
  const registration = status.registration.state === 'registered' ? 'registered' : `${status.registration.state} ${status.registration.reason || ''}`;
  const guard = status.guard.connected ? 'guard connected' : `no guard: ${status.guard.error || 'not there'}`;
  $('panel-note').textContent = [registration, guard, `configuration ${status.config.revision || '–'}`].join(' · ');
  $('warning').textContent = [...covers(status), ...(status.config.warnings || [])].join(' · ');
  if (!calls.some((c) => c.id === scene.call)) scene.call = null;
  if (calls.length && (!scene.call || scene.newest !== calls[0].id)) scene.call = calls[0].id;
  scene.newest = calls[0]?.id;
  list();
  drawCall();
}

// covers says what a person should know of the cover.
function covers({cover}) {
  if (!cover) return [];
  const blocked = cover.blocked_ns ? [`doors blocked for another ${Math.ceil(cover.blocked_ns / 1e9)} s`] : [];
  return cover.open ? ['the cover is off', ...blocked] : blocked;
}

const RESULTS = {
  'talked': 'talked', 'cancelled': 'visitor gave up', 'no-answer': 'no answer', 'refused': 'declined', 'busy': 'busy',
  'unreachable': 'not reachable', 'network-lost': 'no network', 'not-configured': 'nobody there', 'media-lost': 'media lost', 'wrong-codes': 'wrong codes',
  'time-limit': 'time was up', 'shutdown': 'panel stopped',
  'opened': 'released', 'not-opened': 'not released', 'door-forced': 'door forced', 'door-held': 'door open for too long', 'door-closed': 'door closed again',
  'door-unused': 'nobody went through', 'cover-opened': 'cover taken off', 'cover-closed': 'cover put back', 'long-press': 'long press',
};

function list() {
  const items = scene.calls.map((c) => {
    const li = document.createElement('li');
    const b = document.createElement('button');
    b.type = 'button';
    b.setAttribute('aria-pressed', String(c.id === scene.call));
    const [time, flat, result] = [document.createElement('time'), document.createElement('strong'), document.createElement('span')];
    time.dateTime = c.began;
    time.textContent = new Date(c.began).toLocaleTimeString([], {hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false});
    flat.textContent = c.flat || c.button || (/^(cover|long)/.test(c.result) ? 'the panel' : 'the door');
    const opened = (c.marks || []).some((m) => m.name === 'relay-on');
    result.textContent = (c.result ? RESULTS[c.result] || c.result : 'running') + (opened ? ', door opened' : '');
    result.dataset.result = c.result || 'running';
    b.append(time, flat, result);
    b.addEventListener('click', () => {
      scene.call = c.id;
      list();
      drawCall();
    });
    li.append(b);
    return li;
  });
  const focused = [...$('list').querySelectorAll('button')].indexOf(document.activeElement);
  $('list').replaceChildren(...items);
  if (focused >= 0) $('list').querySelectorAll('button')[focused]?.focus();
}

let drawn = '';

function drawCall() {
  const call = scene.calls.find((c) => c.id === scene.call);
  if (!call) return;
  const root = $('drawing');
  const width = Math.max(320, root.clientWidth);
  const version = [call.id, call.marks.length, call.result || Date.now(), width].join();
  if (version === drawn) return;
  drawn = version;
  const open = root.querySelector('details')?.open || false;
  root.replaceChildren(draw(call, width));
  explain(call, root, open);
}

addEventListener('resize', drawCall);

// ---- start ----

async function begin() {
  scene.panel = await ask('panel');
  buildPanel(scene.panel);
  buildPhone(scene.panel.flats);
  new Stream('panel/watch', {
    message: (text) => showPanel(JSON.parse(text)),
    close: () => { $('plate').dataset.connected = 'false'; },
  });
  scene.doorSound = new Stream('panel/sound', {message: (data) => ears.door.hear(data)});
  toggles();
  look();
  showPicture();
}

begin().catch((e) => tell(e.message));
