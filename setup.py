"""Make the README's links absolute for an index; all else is in `setup.cfg`.

In the repository links are relative, so that they work in any copy of it. An index
shows the same text on a page of its own, where they would lead nowhere. The address
comes from `project_urls` in `setup.cfg`; without one links stay as they are, and
`make release-check` says so.
"""

import configparser
import re
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
PICTURES = (".png", ".svg", ".gif")


def source():
    """Return the address of the repository, None while there is none."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    urls = config["metadata"].get("project_urls", "")
    found = re.search(r"^\s*Source\s*=\s*(\S+?)/?$", urls, re.MULTILINE)
    return found and found[1]


def absolute(text, address, tag):
    """Return a Markdown text with its relative links below an address and a tag."""

    def replaced(match):
        target = match[1]
        way = "raw" if target.lower().endswith(PICTURES) else "blob"
        return f"]({address}/{way}/{tag}/{target})"

    return re.sub(r"\]\((?!https?://|#|mailto:)([^)\s]+)\)", replaced, text)


def description():
    """Return the README as an index shows it."""
    text = (ROOT / "README.md").read_text("utf-8")
    version = (ROOT / "keras_dlbasic" / "_version.py").read_text().split('"')[1]
    address = source()
    return absolute(text, address, f"v{version}") if address else text


if __name__ == "__main__":
    setup(
        long_description=description(),
        long_description_content_type="text/markdown",
    )
