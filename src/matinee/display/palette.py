"""The colours of terms and classes on light and dark grounds: distinct to the colour-blind.

The first two are of Okabe and Ito (2008), for what speaks for and against. The others keep hues of
theirs, in shades as far apart as they can be to any eyes (Machado, Oliveira & Fernandes 2009, in
Ottosson's OKLab) that have a contrast of three to one with the ground.
"""

LIGHT = ("#0072b2", "#d55e00", "#00a878", "#a8306c", "#604800", "#480000", "#2a0a70", "#7d7d7d")
DARK = ("#56b4e9", "#f0813a", "#0a8a5c", "#c060b0", "#fcc000", "#d0f0d8", "#8a66fa", "#b8b8b8")
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
