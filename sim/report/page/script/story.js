// A request's whole way in words, as elements of the page.

// Make an element. Texts are never read as HTML, as names are the user's.
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function seconds(time) {
  return `${time.toFixed(6)} s`;
}

function duration(from, to) {
  const length = to - from;
  return length < 0.001 ? `${(length * 1e6).toFixed(0)} µs` : length < 1 ? `${(length * 1e3).toFixed(1)} ms` : `${length.toFixed(3)} s`;
}

// The figures that a pick shows of each candidate, by the names that the policies' orders have for them; less is better.
const FIGURES = {
  in_flight: { head: "in flight", better: "fewer in flight", key: (one) => one.inFlight, write: (one) => `${one.inFlight}` },
  last_used: { head: "last used (s)", better: "an earlier last use", key: (one) => one.lastUsed, write: (one) => one.lastUsed.toFixed(6) },
  free_vram: { head: "free VRAM (GB)", better: "more free VRAM", key: (one) => -one.vram, write: (one) => `${+(one.vram / 1e9).toPrecision(6)}` },
};

// What the pick was decided by: as `Decision.rule` of sim.measure.story.decision has it.
function ruleOf(candidates, chosen, order, tie) {
  if (candidates.length === 1) return "only_one";
  if (!order) return "own";
  let left = candidates;
  for (const figure of order) {
    const { key } = FIGURES[figure];
    const best = Math.min(...left.map(key));
    left = left.filter((one) => key(one) === best);
    if (left.length === 1 && left[0] === chosen) return figure;
  }
  const isOfRule = tie === "first" ? left[0] === chosen : left.includes(chosen);
  return isOfRule ? tie : "own";
}

function reasons({ name, order, tie }, words, replica, candidates, chosen) {
  const rule = ruleOf(candidates, chosen, order, tie);
  const taken = `${name} takes ${replica}`;
  if (rule in words) return [paragraph(`${taken}: ${words[rule]}.`)];
  return [paragraph(`${taken} by its own rule.`), listOf(Object.values(FIGURES).map((one) => standing(one, candidates, chosen)))];
}

function standing({ better, key }, candidates, chosen) {
  const ahead = candidates.filter((one) => key(one) < key(chosen)).length;
  const level = candidates.filter((one) => key(one) === key(chosen)).length - 1;
  return `${ahead || "No"} other${ahead > 1 ? "s" : ""} had ${better}${level ? `, ${level} the same` : ""}.`;
}

function candidatesTable(run, candidates, chosen) {
  const rows = candidates.map((one) => {
    const isChosen = one === chosen;
    const name = element("th", { scope: "row" }, `${isChosen ? "→ " : ""}${run.replica(one.lane)}`);
    if (isChosen) name.append(element("span", { class: "unseen" }, " (chosen)"));
    return element("tr", isChosen ? { class: "chosen" } : {}, name, ...Object.values(FIGURES).map(({ write }) => element("td", {}, write(one))));
  });
  const heads = ["replica", ...Object.values(FIGURES).map(({ head }) => head)].map((head) => element("th", { scope: "col" }, head));
  const table = element("table", { class: "candidates" }, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows));
  return element("div", { class: "scrolls" }, table);
}

const VOUCHED = {
  none: "The route was used again without a check.",
  fresh: "It answered a probe not long ago, so it was not probed.",
  shared: "The answer came from a probe that another caller had sent.",
  probed: "It was probed.",
};

function pickStep(run, pick, number) {
  const { t, lane, source, alive } = run.picks;
  const details = choiceDetails(run, pick);
  if (source[pick] !== MISSING) {
    const verdict = alive[pick] === 1 ? "" : " It was taken for dead.";
    details.push(paragraph(VOUCHED[run.names.sources[source[pick]]] + verdict));
  }
  const which = number ? `pick ${number + 1}` : "pick";
  return { at: t[pick], title: `${which}: ${run.replica(lane[pick])}`, details, pick };
}

// What the pick chose from, and why it chose as it did.
function choiceDetails(run, pick) {
  const { lane, in_flight, request } = run.picks;
  const candidates = run.candidatesOf(pick);
  // A replica may have two rows; then the figure tells which of them it was.
  const ofReplica = candidates.filter((one) => one.lane === lane[pick]);
  const chosen = ofReplica.find((one) => one.inFlight === in_flight[pick]) ?? ofReplica[0];
  if (!chosen) return [paragraph(`It had ${in_flight[pick]} in flight. This page does not know the others; sim explain tells them.`)];
  const policy = run.names.policies[run.requests.frontend[request[pick]]];
  const why = reasons(policy, run.names.reasons, run.replica(lane[pick]), candidates, chosen);
  // Others may have picked between the statement's view of the rows and the lock on this one.
  const isLater = chosen.inFlight !== in_flight[pick];
  const later = isLater ? [paragraph(`When its row was locked, it had ${in_flight[pick]} in flight.`)] : [];
  return [candidatesTable(run, candidates, chosen), ...why, ...later];
}

function probeStep(run, probe) {
  const { start, end, lane, outcome, process_alive } = run.probes;
  const truth = process_alive[probe] ? "alive" : "dead";
  const word = run.names.probe_outcomes[outcome[probe]];
  const words = `${word} after ${duration(start[probe], end[probe])}; its process was ${truth}.`;
  return { at: start[probe], title: `probe of ${run.replica(lane[probe])}: ${word}`, details: [paragraph(words)] };
}

function stageSteps(run, request) {
  const { requests } = run;
  const at = Object.fromEntries(["arrival", "routed", "start", "first_token", "served"].map((name) => [name, requests[name][request]]));
  const replica = run.replica(requests.lane[request]);
  const steps = [
    { at: at.arrival, title: "arrival", details: promptDetails(run, request) },
    { at: at.routed, title: `route to ${replica}`, details: [paragraph(`${duration(at.arrival, at.routed)} after its arrival`)] },
    { at: at.start, title: "service begins", details: [paragraph(`queue: ${duration(at.routed, at.start)}`)] },
    { at: at.first_token, title: "first token", details: [paragraph(`prefill: ${duration(at.start, at.first_token)}`)] },
  ];
  const [name, from] = Number.isNaN(at.first_token) ? ["service", at.start] : ["decode", at.first_token];
  steps.push({ at: at.served, title: "last token", details: [paragraph(`${name}: ${duration(from, at.served)}`)] });
  return steps.filter((step) => !Number.isNaN(step.at));
}

function promptDetails(run, request) {
  const { prompt_tokens, output_tokens, model } = run.requests;
  const tokens = prompt_tokens[request] ? `, ${prompt_tokens[request]} tokens in and ${output_tokens[request]} out` : "";
  return [paragraph(`for ${run.names.models[model[request]]}${tokens}`)];
}

function endStep(run, request) {
  const { arrival, end, cause } = run.requests;
  const outcome = run.outcomeOf(request);
  if (outcome === "unfinished") return { at: run.end, title: "unfinished when the run ended", details: [] };
  const why = cause[request] === MISSING ? "" : ` (${run.names.causes[cause[request]].replaceAll("_", " ")})`;
  const took = [paragraph(`${duration(arrival[request], end[request])} after its arrival`)];
  return { at: end[request], title: `${outcome}${why}`, details: took };
}

// All that happened to a request, in the order of time.
function stepsOf(run, request) {
  const [arrival, ...stages] = stageSteps(run, request);
  const steps = [
    ...[...run.picksOf.of(request)].map((pick, number) => pickStep(run, pick, number)),
    ...[...run.probesOf.of(request)].map((probe) => probeStep(run, probe)),
    ...[...run.eventsOf.of(request)].map((event) => ({
      at: run.events.t[event],
      title: run.eventInWords(event),
      details: run.events.lane[event] === MISSING ? [] : [paragraph(run.replica(run.events.lane[event]))],
    })),
    ...stages,
  ];
  steps.sort((one, other) => one.at - other.at);
  return [arrival, ...steps, endStep(run, request)];
}

function inOneLine(run, request) {
  const took = duration(run.requests.arrival[request], run.endOf(request));
  return `${run.replica(run.requests.lane[request])}, ${run.outcomeOf(request)} after ${took}`;
}

// The way of a request; `pick` is the one that is looked at, and `other` the run beside it, where there is one.
function storyOf(run, request, pick, other) {
  const steps = stepsOf(run, request).map((step) => {
    const isLookedAt = step.pick !== undefined && step.pick === pick;
    const head = element("h4", {}, element("time", {}, seconds(step.at)), ` ${step.title}`);
    return element("li", isLookedAt ? { class: "looked-at" } : {}, head, ...step.details);
  });
  const story = [
    element("h3", {}, `Request ${request}`),
    paragraph(`${run.title}: ${inOneLine(run, request)}`),
    element("ol", { class: "way" }, ...steps),
  ];
  if (other && request < other.requests.arrival.length) {
    story.splice(2, 0, paragraph(`${other.title}: ${inOneLine(other, request)}`));
  }
  return story;
}

function paragraph(text) {
  return element("p", {}, text);
}

function listOf(texts) {
  return element("ul", {}, ...texts.map((text) => element("li", {}, text)));
}
