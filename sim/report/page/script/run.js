// One run: what its columns say of a request, a pick, a probe, an event.

class Run {
  static async read(number, { title, names, index }) {
    const text = document.getElementById(`columns-${number}`).textContent;
    return new Run(number, title, names, await unpacked(index, text));
  }

  constructor(number, title, names, columns) {
    Object.assign(this, { number, title, names });
    const table = (name) =>
      Object.fromEntries(
        Object.entries(columns)
          .filter(([key]) => key.startsWith(`${name}.`))
          .map(([key, column]) => [key.slice(name.length + 1), column]),
      );
    this.end = names.end / 1e6;
    this.requests = this._requests(table("requests"));
    this.picks = { ...table("picks"), t: timesOf(columns["picks.t"]) };
    this.choices = table("choices");
    this.probes = this._probes(table("probes"));
    this.events = { ...table("events"), t: timesOf(columns["events.t"]) };
    this.firstChoice = beginnings(this.picks.candidates);
    const count = this.requests.arrival.length;
    this.picksOf = new Grouped(this.picks.request, count);
    this.probesOf = new Grouped(this.probes.request, count);
    this.eventsOf = new Grouped(this.events.request, count);
  }

  _requests(table) {
    const arrival = timesOf(table.arrival);
    const requests = { ...table, arrival };
    for (const stage of ["routed", "start", "first_token", "served", "end"]) {
      requests[stage] = timesAfter(arrival, table[stage]);
    }
    return requests;
  }

  _probes(table) {
    const start = timesOf(table.start);
    return { ...table, start, end: timesAfter(start, table.end) };
  }

  // Until when the request is drawn: one that has not ended goes on to the end of the run.
  endOf(request) {
    const end = this.requests.end[request];
    return Number.isNaN(end) ? this.end : end;
  }

  outcomeOf(request) {
    const code = this.requests.outcome[request];
    return code === MISSING ? "unfinished" : this.names.outcomes[code];
  }

  isCompleted(request) {
    return this.outcomeOf(request) === "completed";
  }

  replica(lane) {
    return lane === MISSING ? "no replica" : this.names.lanes[lane].label;
  }

  // What the pick could take, as the registry showed it; empty if nobody wrote it down.
  candidatesOf(pick) {
    const { lane, in_flight, last_used, vram } = this.choices;
    const candidates = [];
    for (let row = this.firstChoice[pick]; row < this.firstChoice[pick + 1]; row++) {
      candidates.push({ lane: lane[row], inFlight: in_flight[row], lastUsed: last_used[row] / this.names.last_used_per_s, vram: vram[row] });
    }
    return candidates;
  }

  // The event in words, such as "row removed: probe timeout (its process was alive)".
  eventInWords(event) {
    const { kind, cause, subject } = this.events;
    const words = [this.names.kinds[kind[event]].replaceAll("_", " ")];
    if (subject[event] !== MISSING) words.push(this.names.subjects[subject[event]]);
    const why = cause[event] === MISSING ? "" : `: ${this.names.causes[cause[event]].replaceAll("_", " ")}`;
    return `${words.join(" of ")}${why}${this._flagInWords(event)}`;
  }

  _flagInWords(event) {
    const flag = this.events.flag[event];
    switch (this.names.flags[this.names.kinds[this.events.kind[event]]]) {
      case "process_alive":
        return flag ? " (its process was alive)" : " (its process was dead)";
      case "redundant":
        return flag ? " (it was there already)" : "";
      case "status":
        return ` (now ${this.names.statuses[flag]})`;
      case "scaled_by":
        return ` (by ${flag})`;
      case "blocks":
        return ` (${flag} blocks)`;
      default:
        return "";
    }
  }
}
