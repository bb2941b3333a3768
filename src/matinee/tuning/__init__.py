"""Choosing settings honestly: searching them, and how many factors, on data held out for that."""
