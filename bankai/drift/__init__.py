"""Drift: whether what a model is asked and answers still looks like what it was validated on. Knows no domain."""
