"""What changed between two result folders, and from which decision on."""
