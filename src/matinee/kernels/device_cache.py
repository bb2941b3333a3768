"""Where code for devices is cached: a shape of a batch is compiled once, not in each process."""

import os
from contextlib import suppress
from functools import cache
from pathlib import Path


@cache
def use_device_cache() -> None:
    """Cache what JAX compiles in the user's folder, unless JAX was told where, once a process.

    ``JAX_COMPILATION_CACHE_DIR`` names another folder. Where there is no folder to write to,
    nothing is cached. JAX itself tells by its version and the device what can be reused.
    """
    import jax

    if jax.config.values["jax_compilation_cache_dir"] is not None:
        return
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    folder = home / "matinee" / "devices"
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            jax.config.update("jax_compilation_cache_dir", str(folder))
            jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
