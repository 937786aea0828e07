// The numbers of a run: typed arrays, unpacked from the text that the page holds of them.

const TYPES = { int8: Int8Array, int16: Int16Array, int32: Int32Array, float64: Float64Array };
const MISSING = -1;

async function unpacked(index, text) {
  const inflated = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const buffer = await new Response(inflated).arrayBuffer();
  return Object.fromEntries(
    index.map(([name, type, offset, length]) => [name, new TYPES[type](buffer, offset, length)]),
  );
}

// Loops over rows are plain ones here, because there are 100,000 of them and more.
function bytesOf(base64) {
  const characters = atob(base64);
  const bytes = new Uint8Array(characters.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = characters.charCodeAt(at);
  return bytes;
}

// Times that are given as the differences from one to the next, in microseconds; as seconds.
function timesOf(steps) {
  const times = new Float64Array(steps.length);
  let microseconds = 0;
  for (let row = 0; row < steps.length; row++) times[row] = (microseconds += steps[row]) / 1e6;
  return times;
}

// Times that are given as microseconds after others; NaN where there is none.
function timesAfter(starts, offsets) {
  const times = new Float64Array(offsets.length);
  for (let row = 0; row < offsets.length; row++) {
    times[row] = offsets[row] === MISSING ? NaN : starts[row] + offsets[row] / 1e6;
  }
  return times;
}

// Where the rows of each owner begin, if they lie one owner after the other; one number more than there are owners.
function beginnings(counts) {
  const first = new Int32Array(counts.length + 1);
  counts.forEach((count, owner) => (first[owner + 1] = first[owner] + count));
  return first;
}

// The rows of each owner, in their order; rows that have none are left out.
class Grouped {
  constructor(owners, count) {
    const counts = new Int32Array(count);
    for (const owner of owners) if (owner !== MISSING) counts[owner] += 1;
    this.first = beginnings(counts);
    this.rows = new Int32Array(this.first[count]);
    const next = this.first.slice();
    owners.forEach((owner, row) => {
      if (owner !== MISSING) this.rows[next[owner]++] = row;
    });
  }

  of(owner) {
    return this.rows.subarray(this.first[owner], this.first[owner + 1]);
  }
}

// The first place in `from` to `to` where the rising sequence `value(place)` is more than the limit.
function firstAbove(from, to, limit, value) {
  while (from < to) {
    const middle = (from + to) >> 1;
    if (value(middle) > limit) to = middle;
    else from = middle + 1;
  }
  return from;
}
