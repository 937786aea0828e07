"""What a run did, written down as it happens: tables of integers, and what their codes mean."""
