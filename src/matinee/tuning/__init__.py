"""Choosing an algorithm, its settings and its number of factors, on held-out ratings."""
