"use strict";

// Draws the record of one call: a bar of its phases over real time, and under
// it a lane for the panel and one for each leg, a row for each mark.

const kinds = {
  "code-right": "good", "answered": "good", "ack": "good",
  "code-wrong": "bad", "code-locked": "bad", "door-failed": "bad", "media-lost": "bad", "refused": "bad",
  "relay-on": "door", "relay-off": "door", "door-asked": "door", "open-asked": "door",
  "exit-pressed": "door", "door-opened": "door", "door-closed": "door",
  "door-forced": "bad", "door-held": "bad", "door-unused": "bad", "cover-opened": "bad", "part-lost": "bad", "part-back": "good", "board-reset": "bad",
  "press": "ringing", "ringing": "ringing", "second-press": "ringing",
};
const endings = new Set(["cancelled", "refused", "hung-up", "media-lost", "done"]);

function shape(name, attributes, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

function duration(ns) {
  const ms = ns / 1e6;
  if (Math.abs(ms) < 10) return ms.toFixed(1) + " ms";
  if (Math.abs(ms) < 10000) return Math.round(ms) + " ms";
  return (ms / 1000).toFixed(1) + " s";
}

function shorten(text, room) {
  return text.length <= room ? text : text.slice(0, Math.max(0, room - 1)) + "…";
}

const first = (record, name) => record.marks.find((m) => m.name === name);

// phases gives what a visitor would call the parts of a call.
function phases(record, end) {
  const list = [];
  const answered = first(record, "answered");
  if (first(record, "press") || first(record, "incoming")) list.push({ from: 0, to: answered ? answered.at_ns : end, kind: "ringing", row: 0 });
  if (answered) list.push({ from: answered.at_ns, to: end, kind: "talking", row: 0 });
  let on;
  for (const mark of record.marks) {
    if (mark.name === "relay-on" && !on) on = mark;
    if (mark.name === "relay-off" && on) {
      list.push({ from: on.at_ns, to: mark.at_ns, kind: "door", row: 1 });
      on = undefined;
    }
  }
  if (on) list.push({ from: on.at_ns, to: end, kind: "door", row: 1 });
  return list;
}

function drawBar(svg, record, width) {
  const marks = record.marks;
  const end = Math.max(record.ended_ns || 0, marks.length ? marks[marks.length - 1].at_ns : 0, 1);
  for (const phase of phases(record, end)) {
    const x = (Math.max(0, phase.from) / end) * width;
    const bar = shape("rect", {
      x, y: 4 + phase.row * 12, rx: 3, height: 9,
      width: Math.max(3, ((phase.to - Math.max(0, phase.from)) / end) * width), class: phase.kind,
    });
    bar.append(shape("title", {}, `${phase.kind}: ${duration(phase.to - phase.from)}`));
    svg.append(bar);
  }
  svg.append(shape("text", { x: 0, y: 42, class: "quiet" }, first(record, "press") ? "press" : ""));
  svg.append(shape("text", { x: width, y: 42, "text-anchor": "end", class: "quiet" }, duration(end)));
}

// rows gives each mark its height: a longer pause, a wider gap.
function rows(marks, top) {
  let y = top;
  return marks.map((mark, i) => {
    const pause = i ? (mark.at_ns - marks[i - 1].at_ns) / 1e6 : 0;
    y += i ? 21 + Math.min(26, 6 * Math.log10(1 + Math.max(0, pause))) : 0;
    return y;
  });
}

function drawLanes(svg, marks, lanes, ys, geometry) {
  lanes.forEach((leg, i) => {
    const own = marks.flatMap((m, row) => ((m.leg || 0) === leg ? [row] : []));
    const ending = leg ? own.find((row) => endings.has(marks[row].name)) : undefined;
    const x = geometry.left + i * geometry.lane;
    svg.append(shape("text", { x, y: geometry.head, "text-anchor": "middle", class: "quiet" }, leg ? String(leg) : "panel"));
    svg.append(shape("line", {
      x1: x, x2: x, y1: ys[own[0] ?? 0], y2: ys[ending ?? own[own.length - 1] ?? 0], class: "life",
    }));
  });
}

function drawMark(svg, mark, y, x, geometry) {
  const kind = kinds[mark.name] || "mark";
  const dot = mark.name === "done" || endings.has(mark.name)
    ? shape("rect", { x: x - 5, y: y - 5, width: 10, height: 10, rx: 2, class: kind })
    : shape("circle", { cx: x, cy: y, r: mark.name === "digit" ? 3.5 : 5.5, class: kind });
  svg.append(dot);
  svg.append(shape("text", { x: geometry.time, y: y + 4, "text-anchor": "end", class: "quiet" }, duration(mark.at_ns)));
  const detail = mark.name === "digit" ? "• " + (mark.detail || "") : mark.detail || "";
  const line = shape("text", { x: geometry.text, y: y + 4 }, mark.name + " ");
  const room = Math.floor((geometry.width - geometry.text) / 7.4) - mark.name.length;
  line.append(shape("tspan", { class: "quiet" }, shorten(detail, room)));
  line.append(shape("title", {}, `${mark.name} ${detail}`));
  svg.append(line);
}

function drawRecord(record, width) {
  const marks = record.marks || [];
  const lanes = [...new Set([0, ...marks.map((m) => m.leg || 0)])];
  const lane = Math.min(34, Math.max(14, (width * 0.28) / lanes.length));
  const geometry = { width, lane, time: 62, left: 84, head: 66, text: 84 + lanes.length * lane };
  const ys = rows(marks, 86);
  const height = (ys[ys.length - 1] || 86) + 20;
  const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  svg.append(shape("title", {}, `Call ${record.id}: ${record.why}`));
  drawBar(svg, { ...record, marks }, width);
  drawLanes(svg, marks, lanes, ys, geometry);
  marks.forEach((mark, i) => {
    drawMark(svg, mark, ys[i], geometry.left + lanes.indexOf(mark.leg || 0) * lane, geometry);
  });
  return svg;
}
