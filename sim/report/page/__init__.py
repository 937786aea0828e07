"""Results as one HTML page that needs no network: verdicts, figures, and a timeline to look around in."""
