"""How good predictions, lists and reasons are, measured on ratings held out."""
