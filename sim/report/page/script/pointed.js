// What lies under the pointer: a request, a probe or an event, found by its place in the picture.

const REACH = 6; // Pixels between the pointer and what it means.

function pointed(sections, painter, x, y) {
  if (x < painter.gutter) return null;
  const lane = sections.flatMap((section) => section.lanes).find((one) => y >= one.top && y < one.top + one.height);
  if (!lane) return null;
  const row = Math.floor((y - lane.top - SIZES.marks) / lane.rowHeight);
  return row < 0 || !lane.rows.length ? pointedMark(lane, painter, x) : pointedRequest(lane, lane.rows[row], painter, x);
}

function pointedRequest(lane, row, painter, x) {
  if (!row) return null;
  const { run } = lane;
  const place = row.firstEndingAfter(painter.timeAt(x));
  const [nearest] = [row.requests[place], row.requests[place - 1]]
    .filter((request) => request !== undefined)
    .map((request) => ({ request, distance: distanceTo(run, request, painter, x) }))
    .filter(({ distance }) => distance <= REACH)
    .sort((one, other) => one.distance - other.distance);
  if (!nearest) return null;
  return { run, request: nearest.request, text: `request ${nearest.request}: ${inOneLine(run, nearest.request)}` };
}

// How many pixels the pointer is from the request's bar; 0 on it.
function distanceTo(run, request, painter, x) {
  return Math.max(0, painter.x(run.requests.arrival[request]) - x, x - painter.x(run.endOf(request)));
}

function pointedMark(lane, painter, x) {
  const { events, probes } = lane.run;
  const marks = [...lane.events.values()].map((ofKind) => nearestRow(ofKind, events.t, painter, x)).filter(Boolean);
  const event = marks.sort((one, other) => one.distance - other.distance)[0];
  if (event) return { run: lane.run, request: ownerOf(events, event.row), text: eventText(lane.run, event.row) };
  const probe = lane.probes.findLast((one) => painter.x(probes.start[one]) <= x + REACH);
  if (probe === undefined || painter.x(probes.end[probe]) < x - REACH) return null;
  const { title } = probeStep(lane.run, probe);
  const took = duration(probes.start[probe], probes.end[probe]);
  return { run: lane.run, request: ownerOf(probes, probe), text: `${seconds(probes.start[probe])} ${title} after ${took}` };
}

function eventText(run, event) {
  return `${seconds(run.events.t[event])} ${run.eventInWords(event)}`;
}

function ownerOf(table, row) {
  return table.request[row] === MISSING ? null : table.request[row];
}

// The row whose time is nearest to the pointer, if it is within reach.
function nearestRow(rows, times, painter, x) {
  const next = firstAbove(0, rows.length, painter.timeAt(x), (at) => times[rows[at]]);
  return [rows[next - 1], rows[next]]
    .filter((row) => row !== undefined)
    .map((row) => ({ row, distance: Math.abs(painter.x(times[row]) - x) }))
    .filter(({ distance }) => distance <= REACH)
    .sort((one, other) => one.distance - other.distance)[0];
}
