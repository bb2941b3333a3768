"""Choosing settings honestly: searching them, and how many factors, on data held out for that."""

from matinee.selection.curve import KCurve, k_curve
from matinee.selection.stability import taste_stability
from matinee.selection.tuning import Tuning, tune

__all__ = ["KCurve", "Tuning", "k_curve", "taste_stability", "tune"]
