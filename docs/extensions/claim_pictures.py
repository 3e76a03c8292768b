"""Pictures of the gallery: each claim saves its own."""

import re
import shutil
import tempfile
from pathlib import Path

from sphinx_gallery.scrapers import figure_rst
from sphinx_gallery.utils import scale_image

DRAWN = Path(__file__).parents[1] / "_static" / "gallery"
"""The pictures of the claims in the repository."""

FOLDER = Path(tempfile.mkdtemp(prefix="claims-"))


def setup(app):
    # behind sphinx-gallery (500), which shows a placeholder for what it did not run
    app.connect("builder-inited", _small_pictures, priority=600)
    return {"parallel_read_safe": True}


def _small_pictures(app):
    folder = Path(app.srcdir) / "gallery" / "images" / "thumb"
    for picture in DRAWN.glob("*.png"):
        thumb = folder / f"sphx_glr_{picture.stem}_thumb.png"
        if thumb.exists():
            scale_image(str(picture), str(thumb), 400, 280)


def arguments(gallery_conf, script_vars):
    """Return what a claim is called with: where to save its picture."""
    return [str(FOLDER)]


def picture_of(block, block_vars, gallery_conf):
    """Return the picture that a claim has saved."""
    name = Path(block_vars["src_file"]).stem
    saved = FOLDER / f"{name}.png"
    if not saved.exists():
        return ""
    place = next(block_vars["image_path_iterator"])
    shutil.move(saved, place)
    return figure_rst([place], gallery_conf["src_dir"], f"What {name} measured")


def by_row(filename):
    """Return the place of a claim: A2 before A11."""
    found = re.match(r"([abc])(\d+)_", Path(filename).name)
    return (found[1], int(found[2])) if found else ("z", 0)
