"""Sphinx configuration of the site, built by `python scripts/docs.py`; it needs no network."""

import lenadose

project = "lenadose"
author = "The lenadose developers"
copyright = author
version = release = lenadose.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # the notebooks are committed with their outputs, and CI runs them
nb_ipywidgets_js = {}  # unused, and loaded from the network
default_role = "literal"  # docstrings write `code` between single backticks
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
# Pygments knows neither Mermaid nor the magics in a cell.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = f"lenadose {release}"
html_show_sphinx = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {
    "announcement": "Research and education software, not a medical device. Not for clinical use.",
    "footer_icons": [],
}
