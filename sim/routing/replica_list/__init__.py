"""The rotating replica cache: a frontend picks from a list of its own, which it reads anew every few seconds."""
