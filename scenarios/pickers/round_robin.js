#!/usr/bin/env node
// In turn, over the replicas that are there now: the one that has waited longest for a turn, new ones first.
const start = Number(process.env.SIM_SEED); // Where it begins: frontends that all began alike would go on in step.
const lastTurn = new Map(); // Of each replica, by its row.
let turn = 0;

function pick(candidates) {
  const turnOf = (index) => lastTurn.get(candidates[index].id) ?? 0;
  const order = candidates.map((_, place) => (start + place) % candidates.length);
  return order.reduce((best, index) => (turnOf(index) < turnOf(best) ? index : best));
}

require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { candidates } = JSON.parse(line);
  const index = pick(candidates);
  lastTurn.set(candidates[index].id, ++turn);
  process.stdout.write(JSON.stringify({ index }) + "\n");
});
