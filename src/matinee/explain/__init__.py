"""Explanations: terms of a score, what sets two items apart, and what would change a list.

Models are known here only by what ``Explainable`` says of them.
"""
