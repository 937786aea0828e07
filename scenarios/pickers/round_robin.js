#!/usr/bin/env node
// In turn, over the replicas that are there now: the one that has waited longest for a turn, new ones first.
const lastTurn = new Map(); // of each replica, by its row

let turn = 0;
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { candidates } = JSON.parse(line);
  let index = 0;
  candidates.forEach(({ id }, i) => {
    if ((lastTurn.get(id) ?? 0) < (lastTurn.get(candidates[index].id) ?? 0)) index = i;
  });
  lastTurn.set(candidates[index].id, ++turn);
  process.stdout.write(JSON.stringify({ index }) + "\n");
});
