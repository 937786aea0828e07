#!/usr/bin/env python3
"""The less loaded of two replicas drawn at random (M. Mitzenmacher, 2001), without anything but Python."""

import json
import os
import random
import sys

draws = random.Random(int(os.environ["SIM_SEED"]))  # The same in every run of a seed, another in each frontend.

for line in sys.stdin:
    candidates = json.loads(line)["candidates"]
    two = draws.sample(range(len(candidates)), min(2, len(candidates)))
    index = min(two, key=lambda one: candidates[one]["in_flight"])
    print(json.dumps({"index": index}), flush=True)
