"""Random streams by name: the numbers depend on who draws and what for, not on the order in which streams are made.

One entity more or less changes no other draw, and two policies see the same requests.
"""

import hashlib
import random

import numpy as np

from sim.scenario.spec.base import MOST_SEED


def stream(seed: int, role: str, entity: str, purpose: str) -> np.random.Generator:
    """Return the generator that belongs to these names, at its start.

    `seed` is a whole number from 0 to 2^64 - 1, else ValueError: `None` would read the operating system's entropy.
    """
    if type(seed) is not int or not 0 <= seed <= MOST_SEED:
        raise ValueError(f"a seed is a whole number from 0 to {MOST_SEED}, not {seed!r}")
    digest = hashlib.blake2b(digest_size=16)
    for name in (role, entity, purpose):
        text = name.encode()
        # The length goes first, or ("ab", "c") and ("a", "bc") would be one stream.
        digest.update(len(text).to_bytes(8, "little") + text)
    words = tuple(np.frombuffer(digest.digest(), dtype="<u4").tolist())
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=words)))


def random_stream(seed: int, role: str, entity: str, purpose: str) -> random.Random:
    """Return the same kind of stream with the methods of Python's own generator, for code that is not ours."""
    return random.Random(int.from_bytes(stream(seed, role, entity, purpose).bytes(32), "little"))
