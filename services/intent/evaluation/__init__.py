"""Judges the intent service on labelled utterances and calls."""
