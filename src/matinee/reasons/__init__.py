"""Reasons beyond one score: what sets two items apart, and what would change a recommendation.

They ask a model, and so know it only by what every model can do.
"""

from matinee.reasons.contrast import Contrast
from matinee.reasons.counterfactual import Counterfactual
from matinee.reasons.what_if import WhatIf

__all__ = ["Contrast", "Counterfactual", "WhatIf"]
