"""The quality of predictions, lists and explanations, measured on held-out ratings."""
