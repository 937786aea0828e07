"""Policies that send a prompt where its beginning went, and what they know of prompts."""
