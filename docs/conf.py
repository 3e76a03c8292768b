"""Sphinx configuration."""

from keras_dlbasic import __version__

project = "keras_dlbasic"
author = "The keras_dlbasic developers"
release = __version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
]
autosummary_generate = True
exclude_patterns = ["_build"]
html_theme = "furo"
napoleon_google_docstring = True
