"use strict";

const $ = (id) => document.getElementById(id);
const RESULTS = {
  "talked": "talked", "cancelled": "the visitor gave up", "no-answer": "nobody answered", "refused": "declined", "busy": "busy",
  "unreachable": "no phone could be reached", "network-lost": "the panel had no network or no server", "not-configured": "the button rings nobody",
  "media-lost": "the connection was lost", "wrong-codes": "too many wrong codes", "time-limit": "the time was up", "shutdown": "the panel stopped",
};
const SIGNALS = {
  "ringback": "the ringing tone", "busy": "the flat is busy", "refused": "the flat declined", "no-answer": "nobody answers",
  "unreachable": "nobody can be reached", "network-lost": "the panel has no network", "not-configured": "nobody lives here",
  "warning": "the call ends soon", "ended": "the call is over", "incoming": "somebody listens",
};
let records = [];
let asking = false;
let askAgain = false;

function node(name, attributes = {}, ...children) {
  const one = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
  one.append(...children);
  return one;
}

function fact(kind, text) {
  return node("li", {}, node("span", { class: "dot " + kind, "aria-hidden": "true" }), node("span", {}, text));
}

function clock(text) {
  return text ? new Date(text).toLocaleString() : "";
}

function showFacts(status) {
  const list = [];
  const call = status.call;
  list.push(call.state === "idle" || !call.state
    ? fact("", "No call")
    : fact("warn", `${call.state}: ${call.flat || call.button || "a call to the panel"}, since ${clock(call.since)}`));
  if (SIGNALS[call.shows]) list.push(fact("warn", `The visitor is told: ${SIGNALS[call.shows]}`));
  const line = status.registration;
  list.push(fact(line.state === "registered" ? "good" : "bad",
    `SIP line: ${line.state}${line.server ? " with " + line.server : ""}${line.reason ? ". " + line.reason : ""}`));
  list.push(fact(status.guard.connected ? "good" : "bad",
    status.guard.connected ? "The guard holds the relays" : "No guard: no door can open. " + (status.guard.error || "")));
  const cover = status.cover;
  if (cover) {
    const blocked = cover.blocked_ns ? `. No door opens for another ${Math.ceil(cover.blocked_ns / 6e10)} min` : "";
    list.push(fact(cover.open ? "bad" : blocked ? "warn" : "good",
      `The cover is ${cover.open ? "open" : "closed"}${cover.since ? " since " + clock(cover.since) : ""}${blocked}`));
  }
  for (const output of status.outputs || []) {
    if (output.error) list.push(fact("bad", `${output.name} (${output.role}) cannot be switched: ${output.error}`));
  }
  const config = status.config;
  list.push(fact(config.error ? "bad" : config.trial ? "warn" : "good",
    `Configuration ${config.revision || "none"}${config.from ? " from " + config.from : ""}${config.trial ? ", on trial" : ""}`));
  if (config.error) list.push(fact("bad", config.error));
  for (const warning of config.warnings || []) list.push(fact("warn", warning));
  for (const missing of status.missing || []) list.push(fact("warn", missing));
  for (const problem of status.problems || []) list.push(fact("bad", problem));
  if (status.message) list.push(fact("", `${clock(status.message.at)}, ${status.message.from} writes: ${status.message.text}`));
  $("facts").replaceChildren(...list);
}

const contacts = {
  closed: "closed", open: "open", held: "open for too long", forced: "open, and was forced", lost: "its contact cannot be read",
};

function stateOf(door) {
  const contact = contacts[door.contact];
  const words = [door.open && "released", contact || (!door.open && "closed")].filter(Boolean).join(", ");
  return door.since ? `${words} since ${clock(door.since)}` : words;
}

function stateClass(door) {
  if (["held", "forced", "lost"].includes(door.contact)) return "alarm";
  return door.open || door.contact === "open" ? "open" : "quiet";
}

function showDoors(status) {
  $("doors").replaceChildren(...(status.doors || []).map((door) => {
    const button = node("button", { class: "main" }, "Open …");
    button.disabled = door.open || !status.guard.connected;
    button.addEventListener("click", () => confirmOpen(door.name));
    const state = node("span", { class: stateClass(door) }, stateOf(door));
    return node("li", {}, node("span", {}, node("b", {}, door.name), " ", state), button);
  }), ...(status.exits || []).map((exit) => node("li", {},
    node("span", {}, node("b", {}, exit.name), " ", node("span", { class: "quiet" }, `opens ${exit.door} from inside${exit.pressed ? ", pressed now" : ""}`)))));
}

function showParts(status) {
  const kind = { running: "good", failed: "bad", starting: "warn" };
  $("parts").replaceChildren(...(status.parts || []).map((part) => fact(kind[part.state] || "",
    `${part.name}: ${part.state}${part.restarts ? `, restarted ${part.restarts} times` : ""}${part.error ? ". " + part.error : ""}`)));
}

const previews = { early: "early picture", preview: "picture by a first answer", still: "still picture", none: "no preview" };

// showPhones tells how the flats' phones show the visitor while they ring.
function showPhones(status) {
  const phones = status.phones || [];
  $("phones-card").hidden = phones.length === 0;
  $("phones").replaceChildren(...phones.map((phone) => {
    const words = [
      phone.sound_alone_since && `sound alone since ${clock(phone.sound_alone_since)}`,
      phone.takes && `${previews[phone.takes] || phone.takes} since ${clock(phone.since)}`,
    ].filter(Boolean);
    return fact("", `${phone.target}: ${words.join(", ")}`);
  }));
}

function show(status) {
  $("name").textContent = document.title = status.name || "Door station";
  $("about").textContent = `Version ${status.version}, running since ${clock(status.started)}`;
  showFacts(status);
  showDoors(status);
  showPhones(status);
  showParts(status);
}

function confirmOpen(door) {
  const dialog = $("confirm");
  $("confirm-title").textContent = `Open “${door}”?`;
  $("confirm-yes").onclick = () => {
    dialog.close();
    openDoor(door);
  };
  dialog.showModal();
}

async function openDoor(door) {
  $("said").textContent = "";
  try {
    const reply = await fetch("/open", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ door, confirm: door }),
    });
    if (reply.status === 401) return location.replace("/");
    if (!reply.ok) $("said").textContent = "Not opened: " + (await reply.json()).error;
  } catch {
    $("said").textContent = "The panel does not answer; the door may not have opened.";
  }
}

function draw(details, record) {
  const width = Math.max(260, Math.floor(details.clientWidth));
  details.querySelector(".picture").replaceChildren(drawRecord(record, width));
}

function callEntry(record, wasOpen) {
  const result = RESULTS[record.result] || record.result || "running";
  const details = node("details", { "data-id": record.id },
    node("summary", {}, node("time", {}, clock(record.began)), ` · ${record.flat || record.button || "the panel"} · ${result}`,
      node("span", { class: "why" }, record.why)),
    node("div", { class: "picture" }),
    node("div", { class: "figures" }, ...(record.figures || []).map((f) =>
      node("span", {}, node("b", {}, duration(f.took_ns)), " " + f.label))));
  details.addEventListener("toggle", () => details.open && draw(details, record));
  details.open = wasOpen;
  return details;
}

function showCalls() {
  const list = $("calls");
  const open = new Set([...list.querySelectorAll("details[open]")].map((d) => d.dataset.id));
  if (!list.children.length && records.length) open.add(records[0].id);
  list.replaceChildren(...records.map((r) => callEntry(r, open.has(r.id))));
  $("no-calls").hidden = records.length > 0;
}

// askCalls fetches the records, one request at a time, the last change included.
async function askCalls() {
  askAgain = true;
  if (asking) return;
  asking = true;
  try {
    while (askAgain) {
      askAgain = false;
      const reply = await fetch("/calls");
      if (reply.status === 401) return location.replace("/");
      if (reply.ok) {
        records = await reply.json();
        showCalls();
      }
    }
  } catch {
    // The stream of the status says that the panel is gone, and when it is back.
  } finally {
    asking = false;
  }
}

async function watch() {
  const stream = new EventSource("/status");
  stream.onmessage = (event) => {
    $("lost").hidden = true;
    show(JSON.parse(event.data));
    askCalls();
  };
  stream.onerror = async () => {
    $("lost").hidden = false;
    if (stream.readyState !== EventSource.CLOSED) return;
    const reply = await fetch("/calls").catch(() => undefined);
    if (reply && reply.status === 401) return location.replace("/");
    setTimeout(watch, 5000);
  };
}

$("confirm-no").addEventListener("click", () => $("confirm").close());
$("logout").addEventListener("click", async () => {
  await fetch("/logout", { method: "POST" }).catch(() => undefined);
  location.replace("/");
});
addEventListener("resize", () => {
  for (const details of document.querySelectorAll("details[open]")) {
    const record = records.find((r) => r.id === details.dataset.id);
    if (record) draw(details, record);
  }
});
watch();
