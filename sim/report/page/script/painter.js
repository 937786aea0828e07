// Draws the lanes on a canvas. Whatever shares a pixel is drawn once, so that the work grows with the picture's width and
// not with the number of requests.

const PHASES = [
  { from: "routed", to: "start", tone: 0.3 }, // queue
  { from: "start", to: "first_token", tone: 0.6 }, // prefill
  { from: "first_token", to: "served", tone: 1 }, // decode
];
const SERVICE = { from: "start", to: "served", tone: 1 }; // Where nothing is known of a first token.
const GRAVE = new Set(["row_removed", "fault_struck", "process_ended"]);
const LEAST_PHASES = 3; // Pixels; a shorter bar has no room for phases.
const LEAST_GAP = 7; // Pixels between two marks of one kind.

class Painter {
  constructor(canvas, colours) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.colours = colours;
  }

  // Make the canvas that large, in the pixels of the page.
  resize(width, height, gutter) {
    const ratio = window.devicePixelRatio || 1;
    Object.assign(this, { width, height, gutter });
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.canvas.style.height = `${height}px`;
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  draw(sections, scale, selected, partedAt) {
    const style = getComputedStyle(this.canvas);
    this.colour = (name) => style.getPropertyValue(`--${name}`);
    this.scale = scale;
    this.context.clearRect(0, 0, this.width, this.height);
    this.context.font = `12px ${style.fontFamily}`;
    this.context.textBaseline = "middle";
    for (const section of sections) {
      this._names(section);
      this.context.save();
      this.context.beginPath();
      this.context.rect(this.gutter, section.top, this.width - this.gutter, section.bottom - section.top);
      this.context.clip();
      for (const lane of section.lanes) this._lane(lane, section);
      if (selected) this._selected(section, selected);
      if (partedAt !== null) this._upright(partedAt, section, "warn");
      this.context.restore();
    }
  }

  x(time) {
    return this.gutter + this.scale(time);
  }

  timeAt(x) {
    return this.scale.invert(x - this.gutter);
  }

  _names(section) {
    this._text(section.run.title, 4, section.top + SIZES.title / 2, "text", this.width - 8, "bold");
    for (const { node, top, height } of section.nodes) this._text(node, 4, top + height / 2, "muted", this.width - 8);
    for (const lane of section.lanes) {
      this._fill("line", 0, lane.top, this.width, 1);
      this._text(lane.label, 12, lane.top + lane.height / 2, "text", this.gutter - 16);
    }
  }

  _lane(lane, section) {
    lane.rows.forEach((row, number) => this._row(lane, row, topOf(lane, number)));
    this._probes(lane);
    for (const [kind, events] of lane.events) this._events(lane, kind, events, section);
    this.context.globalAlpha = 1;
  }

  _row(lane, row, top) {
    const { arrival } = lane.run.requests;
    const colour = this.colours[lane.label] ?? this.colour("muted");
    const end = this.timeAt(this.width);
    let place = row.firstEndingAfter(this.timeAt(this.gutter));
    while (place < row.requests.length && arrival[row.requests[place]] <= end) {
      const right = this._bar(lane, row.requests[place], top, colour);
      place = row.firstEndingAfter(this.timeAt(right), place + 1);
    }
    this._shortFailures(lane, row.failed, top);
  }

  // Among requests that share their pixels, those that did not complete are drawn over the others.
  _shortFailures(lane, failed, top) {
    const { arrival } = lane.run.requests;
    const from = this.timeAt(this.gutter - LEAST_PHASES);
    let free = -Infinity;
    for (let place = firstAbove(0, failed.length, from, (at) => arrival[failed[at]]); place < failed.length; place++) {
      const { left, right } = this._extent(lane, failed[place]);
      if (left > this.width) break;
      if (left < free || right - left >= LEAST_PHASES) continue;
      this._fill("bad", left, top, right - left, barHeight(lane));
      free = right;
    }
  }

  // From where to where the request's bar goes.
  _extent({ run }, request) {
    const left = Math.floor(this.x(run.requests.arrival[request]));
    return { left, right: Math.max(left + 1, this.x(run.endOf(request))) };
  }

  // Draw a request, and return where its bar ends.
  _bar(lane, request, top, colour) {
    const { requests } = lane.run;
    const height = barHeight(lane);
    const { left, right } = this._extent(lane, request);
    this.context.fillStyle = colour;
    if (right - left < LEAST_PHASES) {
      this._tone(0.8, left, top, right - left, height);
      return right;
    }
    // From its arrival to its end a line, so that what it waits for besides the replica is seen.
    this._tone(0.45, left, top + height / 2 - 0.5, right - left, 1);
    const phases = Number.isNaN(requests.first_token[request]) ? [PHASES[0], SERVICE] : PHASES;
    for (const { from, to, tone } of phases) {
      const start = this.x(requests[from][request]);
      const stop = Number.isNaN(requests[to][request]) ? right : this.x(requests[to][request]);
      if (start <= this.width && stop >= this.gutter) this._tone(tone, start, top, Math.max(1, stop - start), height);
    }
    if (!lane.run.isCompleted(request)) this._fill("bad", right - 2, top, 3, height);
    return right;
  }

  _tone(tone, left, top, width, height) {
    this.context.globalAlpha = tone;
    this.context.fillRect(left, top, width, height);
  }

  _probes(lane) {
    const { start, end, outcome } = lane.run.probes;
    this.context.globalAlpha = 1;
    let freeForBar = -Infinity;
    let freeForMark = -Infinity;
    for (const probe of lane.probes) {
      const isOk = lane.run.names.probe_outcomes[outcome[probe]] === "ok";
      const right = this.x(end[probe]);
      // A failure is not lost among answers.
      if (right < this.gutter || right < (isOk ? freeForBar : freeForMark)) continue;
      const left = this.x(start[probe]);
      if (left > this.width) break;
      this._fill(isOk ? "good" : "bad", left, lane.top + 3, Math.max(2, right - left), 2);
      freeForBar = Math.max(freeForBar, right + 1);
      if (isOk) continue;
      this._text("×", right, lane.top + 7, "bad", undefined, "bold", "center");
      freeForMark = right + LEAST_GAP;
    }
  }

  _events(lane, kind, events, section) {
    const { t } = lane.run.events;
    const colour = GRAVE.has(kind) ? "bad" : "text";
    let place = firstAbove(0, events.length, this.timeAt(this.gutter - LEAST_GAP), (at) => t[events[at]]);
    while (place < events.length && t[events[place]] <= this.timeAt(this.width)) {
      const x = this.x(t[events[place]]);
      this._text(MARKED_KINDS[kind], x, lane.top + 8, colour, undefined, "bold", "center");
      if (kind === "fault_struck") this._upright(t[events[place]], section, "bad");
      place = firstAbove(place + 1, events.length, this.timeAt(x + LEAST_GAP), (at) => t[events[at]]);
    }
  }

  _selected(section, { run, request, pick }) {
    const bar = barOf(section, request);
    if (bar) {
      const left = this.x(section.run.requests.arrival[request]);
      const right = this.x(section.run.endOf(request));
      this.context.strokeStyle = this.colour("text");
      this.context.lineWidth = section.run === run ? 2 : 1;
      this.context.strokeRect(left - 1, bar.top - 1, Math.max(3, right - left + 2), bar.height + 1);
    }
    if (section.run === run && pick !== null) this._upright(run.picks.t[pick], section, "text");
  }

  // A dashed line through all lanes of a run.
  _upright(time, { top, bottom }, colour) {
    this.context.strokeStyle = this.colour(colour);
    this.context.lineWidth = 1;
    this.context.setLineDash([4, 3]);
    this.context.beginPath();
    this.context.moveTo(this.x(time), top + SIZES.title);
    this.context.lineTo(this.x(time), bottom);
    this.context.stroke();
    this.context.setLineDash([]);
  }

  _fill(colour, left, top, width, height) {
    this.context.globalAlpha = 1;
    this.context.fillStyle = this.colour(colour);
    this.context.fillRect(left, top, width, height);
  }

  _text(text, x, y, colour, room, weight = "normal", align = "left") {
    const { context } = this;
    context.globalAlpha = 1;
    context.fillStyle = this.colour(colour);
    context.textAlign = align;
    context.font = context.font.replace(/^(bold |normal )?/, weight === "bold" ? "bold " : "");
    context.fillText(room === undefined ? text : this._shortened(text, room), x, y);
  }

  // The end of a replica's name tells more than its beginning.
  _shortened(text, room) {
    if (this.context.measureText(text).width <= room) return text;
    let kept = text;
    while (kept && this.context.measureText(`…${kept}`).width > room) kept = kept.slice(1);
    return `…${kept}`;
  }
}
