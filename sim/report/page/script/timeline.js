// The timeline: one or two runs on one axis of time, what is chosen in them, and the keys and buttons that move it.

const KEYS = {
  "+": "zoomIn",
  "=": "zoomIn",
  "-": "zoomOut",
  ArrowLeft: "left",
  ArrowRight: "right",
  0: "showAll",
  n: "nextDecision",
  p: "previousDecision",
  d: "firstDifference",
  Escape: "deselect",
};
const ZOOM_STEP = 1.6;
const PAN_STEP = 0.15; // Of the picture's width.
const FURTHEST_LENGTHS = 60; // How many times a request's length the picture may show and still show its phases.
const REVEALED_LENGTHS = 15; // How many times it shows after it came closer.
const CLOSEST_S = 0.0005; // What the picture shows at least.

class Timeline {
  constructor(root, colours, partings) {
    this.root = root;
    this.partings = partings;
    this.plot = root.querySelector(".plot");
    this.canvas = root.querySelector("canvas");
    this.axis = d3.select(root.querySelector(".axis"));
    this.tip = root.querySelector(".tip");
    this.story = root.querySelector(".story");
    this.painter = new Painter(this.canvas, colours);
    this.scale = d3.scaleLinear();
    this.selected = null;
    this.runs = [];
    this.zoom = d3.zoom().filter((event) => this._isMeant(event)).on("zoom", ({ transform }) => this._zoomed(transform));
    d3.select(this.canvas).call(this.zoom).on("dblclick.zoom", null);
    this._listen();
  }

  show(runs) {
    this.runs = runs;
    this.selected = null;
    this.duration = Math.max(...runs.map((run) => run.end));
    this.sections = [];
    for (const run of runs) this.sections.push(lanesOf(run, this.sections.at(-1)?.bottom ?? 0));
    const shown = runs.map((run) => run.number);
    this.parting = this.partings.find((one) => runs.length === 2 && one.runs.every((number) => shown.includes(number)));
    this._tellParting();
    this._tellStory();
    this._resize();
    this.showAll();
  }

  // When the two runs part; null if they do not.
  get partedAt() {
    return this.parting?.t ?? null;
  }

  zoomIn() {
    d3.select(this.canvas).call(this.zoom.scaleBy, ZOOM_STEP);
  }

  zoomOut() {
    d3.select(this.canvas).call(this.zoom.scaleBy, 1 / ZOOM_STEP);
  }

  left() {
    this._pan(PAN_STEP);
  }

  right() {
    this._pan(-PAN_STEP);
  }

  showAll() {
    d3.select(this.canvas).call(this.zoom.transform, d3.zoomIdentity);
  }

  nextDecision() {
    this._step(1);
  }

  previousDecision() {
    this._step(-1);
  }

  firstDifference() {
    if (this.partedAt === null) return;
    const { request, t } = this.parting;
    // Only one of them may have made that pick.
    const found = this.runs
      .filter((run) => request !== null && request < run.requests.arrival.length)
      .map((run) => ({ run, pick: [...run.picksOf.of(request)].find((one) => run.picks.t[one] >= t - 1e-6) }));
    const { run, pick } = found.find((one) => one.pick !== undefined) ?? found[0] ?? {};
    if (run) this.select(run, request, pick);
    this._reveal(t);
  }

  deselect() {
    this.selected = null;
    this._tellStory();
    this._redraw();
  }

  // Look at a request's way, and at one of its picks: the first unless one is given.
  select(run, request, pick = run.picksOf.of(request)[0] ?? null) {
    this.selected = { run, request, pick };
    this._tellStory();
    this._redraw();
  }

  _step(by) {
    const run = this.selected?.run ?? this.runs[0];
    const { t, request } = run.picks;
    const [from] = this.scale.domain();
    const next = firstAbove(0, t.length, from, (pick) => t[pick]);
    const last = this.selected?.pick ?? (by > 0 ? next - 1 : next);
    const pick = Math.min(Math.max(last + by, 0), t.length - 1);
    if (pick < 0) return;
    this.select(run, request[pick], pick);
    this._reveal(t[pick]);
  }

  // Move the time into the picture if it is not in it, and come close enough to see what is chosen.
  _reveal(time) {
    const selection = d3.select(this.canvas);
    const [from, to] = this.scale.domain();
    const { run, request } = this.selected ?? {};
    const length = run ? run.endOf(request) - run.requests.arrival[request] : this.duration / 20;
    const isFarOff = to - from > FURTHEST_LENGTHS * length;
    if (!isFarOff && from < time && time < to) return;
    if (isFarOff) selection.call(this.zoom.scaleTo, this.duration / (REVEALED_LENGTHS * length));
    selection.call(this.zoom.translateTo, this.base(time), 0);
  }

  _pan(part) {
    const { k } = d3.zoomTransform(this.canvas);
    d3.select(this.canvas).call(this.zoom.translateBy, (part * this.width) / k, 0);
  }

  // The wheel scrolls the page until the timeline has the focus.
  _isMeant(event) {
    if (event.button) return false;
    return event.type !== "wheel" || event.ctrlKey || event.metaKey || this.plot.contains(document.activeElement);
  }

  _listen() {
    this.plot.addEventListener("keydown", (event) => {
      const action = KEYS[event.key];
      if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this[action]();
    });
    for (const button of this.root.querySelectorAll("button[data-action]")) {
      button.addEventListener("click", () => this[button.dataset.action]());
    }
    this.canvas.addEventListener("mousedown", () => this.plot.focus({ preventScroll: true }));
    this.canvas.addEventListener("click", (event) => this._clicked(event));
    this.canvas.addEventListener("pointermove", (event) => this._hovered(event));
    this.canvas.addEventListener("pointerleave", () => (this.tip.hidden = true));
    new ResizeObserver(() => this._resize()).observe(this.plot);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this._redraw());
  }

  _clicked(event) {
    const found = pointed(this.sections, this.painter, event.offsetX, event.offsetY);
    if (found && found.request !== null) this.select(found.run, found.request);
  }

  _hovered(event) {
    const found = event.buttons ? null : pointed(this.sections, this.painter, event.offsetX, event.offsetY);
    this.tip.hidden = !found;
    this.canvas.style.cursor = found && found.request !== null ? "pointer" : "";
    if (!found) return;
    this.tip.textContent = found.text;
    const left = Math.min(event.offsetX + 12, this.plot.clientWidth - this.tip.offsetWidth - 4);
    this.tip.style.left = `${Math.max(0, left)}px`;
    this.tip.style.top = `${this.canvas.offsetTop + event.offsetY + 16}px`;
  }

  _resize() {
    const outer = this.plot.clientWidth;
    if (!outer || !this.runs.length) return;
    const gutter = outer < 600 ? 92 : 150;
    this.width = outer - gutter - 12;
    this.base = d3.scaleLinear([0, this.duration], [0, this.width]);
    const bounds = [[0, 0], [this.width, 1]];
    this.zoom.extent(bounds).translateExtent(bounds).scaleExtent([1, Math.max(1, this.duration / CLOSEST_S)]);
    this.painter.resize(outer, this.sections.at(-1).bottom, gutter);
    this._zoomed(d3.zoomTransform(this.canvas));
  }

  _zoomed(transform) {
    this.scale = transform.rescaleX(this.base);
    [this.plot.dataset.from, this.plot.dataset.to] = this.scale.domain();
    this._redraw();
  }

  // Draw once for all that has changed since the last picture.
  _redraw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = null;
      const ticks = Math.max(2, this.width / 110);
      const write = this.scale.tickFormat(ticks);
      const axis = d3.axisTop(this.scale).ticks(ticks).tickFormat((time) => `${write(time)} s`);
      this.axis.attr("transform", `translate(${this.painter.gutter}, 22)`).call(axis);
      this.painter.draw(this.sections, this.scale, this.selected, this.partedAt);
    });
  }

  _tellStory() {
    const { run, request, pick } = this.selected ?? {};
    const other = this.runs.find((one) => one !== run);
    const hint = "Click a request, or go to the next decision, to see its whole way.";
    this.story.replaceChildren(...(run ? storyOf(run, request, pick, other) : [paragraph(hint)]));
  }

  _tellParting() {
    const { parting } = this;
    this.root.querySelector(".parting").replaceChildren(...(parting?.lines ?? []).map(paragraph));
    this.root.querySelector("[data-action=firstDifference]").disabled = this.partedAt === null;
  }
}
