"""Sphinx configuration."""

import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("MPLBACKEND", "Agg")
sys.path.insert(0, str(Path(__file__).parent))

from keras_dlbasic import __version__

project = "keras_dlbasic"
author = "The keras_dlbasic developers"
copyright = "the keras_dlbasic developers"
release = __version__
exclude_patterns = ["_build", "gallery/**/*.ipynb", "gallery/*.md5", "gallery/*.json"]
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "extensions.claim_pictures",
    "extensions.docstrings",
    "extensions.languages",
    "extensions.llms",
    "extensions.math_markup",
    "extensions.notebooks",
    "extensions.reference",
]

# what the docstrings are written in
default_role = "py:obj"
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autosummary_generate = False
napoleon_custom_sections = [("Reference", "references")]
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_maximum_signature_line_length = 80

# what the pages are written in
myst_enable_extensions = ["attrs_inline", "colon_fence", "dollarmath"]
myst_heading_anchors = 3

html_theme = "pydata_sphinx_theme"
html_title = f"{project} {release}"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_show_sourcelink = False
# pages without others beside them have an empty list there
html_sidebars = {"start": [], "changelog": []}
html_theme_options = {
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
    "header_links_before_dropdown": 8,
    "show_toc_level": 2,
}

sphinx_gallery_conf = {
    "examples_dirs": "../examples/claims",
    "gallery_dirs": "gallery",
    "filename_pattern": r"[abc]\d+_\w+\.py$",
    "ignore_pattern": r"^gallery\.py$",
    "within_subsection_order": "extensions.claim_pictures.by_row",
    "image_scrapers": ("extensions.claim_pictures.picture_of",),
    "download_all_examples": False,
    "reset_argv": "extensions.claim_pictures.arguments",
    "reset_modules": (),
    "show_memory": False,
    "write_computation_times": False,
}
# `.reason` may be that of several classes: then it is no link
suppress_warnings = ["ref.python"]
