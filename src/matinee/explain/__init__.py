"""Reasons beyond one score: what sets two items apart, and what would change a recommendation.

They ask a model, and so know it only by what every model can do.
"""

from matinee.explain.contrast import Contrast
from matinee.explain.counterfactual import Counterfactual
from matinee.explain.what_if import WhatIf

__all__ = ["Contrast", "Counterfactual", "WhatIf"]
