"""The slips, by what they are about."""
