"""The only place where compilation is configured; every compiled function uses ``kernel``.

``nogil`` lets our own threads run kernels side by side, ``cache`` keeps the machine code for the
next process. Sums may be reordered so that they vectorise; NaN and infinity keep their meaning,
so bad numbers stay visible.
"""

import numba
import numpy as np

from matinee.kernels.code_cache import use_code_cache

FAST_MATH = {"reassoc", "contract", "arcp", "nsz"}  # not nnan, not ninf

CACHE = use_code_cache()
kernel = numba.njit(nogil=True, cache=CACHE, fastmath=FAST_MATH, error_model="numpy")


def read_only(array: np.ndarray, dtype: type) -> np.ndarray:
    """An array as kernels take their inputs: contiguous, of one type, and read-only.

    numba compiles anew for every kind of argument, so inputs are always of one kind.
    """
    view: np.ndarray = np.ascontiguousarray(array, dtype=dtype).view()
    view.flags.writeable = False
    return view
