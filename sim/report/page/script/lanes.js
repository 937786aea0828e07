// Where everything of a run is drawn: lanes one below the other, and in each the requests in rows that do not overlap.

const SIZES = { title: 26, node: 20, marks: 14, gap: 5, most: 112, leastRow: 3, mostRow: 14 };
const MOST_ROWS = 32;
// What has a mark of its own. Other events are told in the way of their request.
const MARKED_KINDS = {
  row_published: "+",
  row_removed: "×",
  install_started: "◇",
  load_started: "▷",
  load_ended: "▶",
  node_changed: "●",
  scaled: "↕",
  fault_struck: "▼",
  process_ended: "■",
  call_retried: "↻",
};

// A row of requests in the order of their arrival, with the latest end of any of them so far: both only rise.
class Row {
  constructor(run) {
    this.run = run;
    this.requests = [];
    this.latestEnd = [];
    this.failed = []; // Those of them that did not complete.
  }

  get isFreeFrom() {
    return this.latestEnd.length ? this.latestEnd[this.latestEnd.length - 1] : -Infinity;
  }

  add(request) {
    this.requests.push(request);
    this.latestEnd.push(Math.max(this.isFreeFrom, this.run.endOf(request)));
    if (!this.run.isCompleted(request)) this.failed.push(request);
  }

  // The first place from `place` on whose request, or one before it, ends after this time.
  firstEndingAfter(time, place = 0) {
    return firstAbove(place, this.requests.length, time, (at) => this.latestEnd[at]);
  }
}

// Put the requests into rows so that none overlaps, if there are rows enough; else on top of what ends first.
function inRows(run, requests) {
  const rows = [];
  for (const request of requests) {
    const arrival = run.requests.arrival[request];
    let row = rows.find((one) => one.isFreeFrom <= arrival);
    if (!row && rows.length < MOST_ROWS) rows.push((row = new Row(run)));
    row ??= rows.reduce((best, one) => (one.isFreeFrom < best.isFreeFrom ? one : best));
    row.add(request);
  }
  return rows;
}

// The events that have a mark, kind by kind, each in the order of time.
function markedEvents(run, events) {
  const ofKind = new Map();
  for (const event of events) {
    const kind = run.names.kinds[run.events.kind[event]];
    if (!(kind in MARKED_KINDS)) continue;
    if (!ofKind.has(kind)) ofKind.set(kind, []);
    ofKind.get(kind).push(event);
  }
  return ofKind;
}

function laneOf(run, label, lane, requests, probes, events) {
  const rows = inRows(run, requests);
  const rowHeight = Math.min(SIZES.mostRow, Math.max(SIZES.leastRow, SIZES.most / Math.max(1, rows.length)));
  const height = SIZES.marks + rows.length * rowHeight + SIZES.gap;
  return { run, label, lane, rows, rowHeight, height, probes, events: markedEvents(run, events) };
}

// The lanes of a run from `top` down: what concerns no replica, the replicas node by node, the requests without one.
function lanesOf(run, top) {
  const { lanes } = run.names;
  const ofLane = (owners) => new Grouped(owners, lanes.length);
  const requests = ofLane(run.requests.lane);
  const probes = ofLane(run.probes.lane);
  const events = ofLane(run.events.lane);
  const nobodys = (owners) => [...owners.keys()].filter((row) => owners[row] === MISSING);
  const made = [];
  const ofNoReplica = nobodys(run.events.lane);
  if (markedEvents(run, ofNoReplica).size) made.push(laneOf(run, "nodes, faults", MISSING, [], [], ofNoReplica));
  lanes.forEach(({ label, node }, lane) => {
    // The label of a node's only replica says enough.
    const isFirstOfSeveral = node !== lanes[lane - 1]?.node && node === lanes[lane + 1]?.node;
    if (isFirstOfSeveral) made.push({ node, height: SIZES.node });
    made.push(laneOf(run, label, lane, requests.of(lane), probes.of(lane), events.of(lane)));
  });
  const unrouted = nobodys(run.requests.lane);
  if (unrouted.length) made.push(laneOf(run, "no replica", MISSING, unrouted, [], []));
  let below = top + SIZES.title;
  for (const lane of made) {
    lane.top = below;
    below += lane.height;
  }
  return { run, top, bottom: below, lanes: made.filter((one) => one.run), nodes: made.filter((one) => one.node) };
}

// Where a row of the lane begins.
function topOf(lane, number) {
  return lane.top + SIZES.marks + number * lane.rowHeight;
}

// How high its bars are: with a gap between rows where there is room for one.
function barHeight({ rowHeight }) {
  return rowHeight > 4 ? rowHeight - 1 : rowHeight;
}

// Where the request is drawn; null if this run has no such request.
function barOf(section, request) {
  const owner = section.run.requests.lane[request];
  // The lane of nodes and faults belongs to no replica either, but it has no rows.
  const lane = section.lanes.find((one) => one.lane === owner && one.rows.length);
  if (!lane) return null;
  const number = lane.rows.findIndex((row) => row.requests.includes(request));
  return { top: topOf(lane, number), height: lane.rowHeight };
}
