"""The colours of terms and classes on light and dark grounds: distinct to the colour-blind.

They are those of Okabe and Ito (2008), the first two for what speaks for and against, with shades
that keep a contrast of three to one with the ground.
"""

LIGHT = ("#0072b2", "#d55e00", "#008a63", "#b5528f", "#b57f00", "#2b8fce", "#7a5cc7", "#7d7d7d")
DARK = ("#56b4e9", "#f0813a", "#1fbf92", "#e08dbf", "#e6b13d", "#8cc8f2", "#b39df0", "#a8a8a8")
FOR, AGAINST = LIGHT[:2]
BASE, TOTAL, DARK_TOTAL = "#8a8f98", "#3b4a5a", "#c9d3de"

# By the names that style sheets give them: c0 to c7, and d0 to d7 in the dark.
COLORS = {
    **{f"c{place}": color for place, color in enumerate(LIGHT)},
    **{f"d{place}": color for place, color in enumerate(DARK)},
    "base": BASE,
    "total": TOTAL,
    "dark_total": DARK_TOTAL,
}


def custom_properties() -> str:
    """CSS that names the colours ``--c0`` to ``--c7`` by the scheme of the page."""
    light, dark = (
        ":root { " + " ".join(f"--c{n}: {color};" for n, color in enumerate(colors)) + " }"
        for colors in (LIGHT, DARK)
    )
    return f"{light}\n@media (prefers-color-scheme: dark) {{ {dark} }}\n"
