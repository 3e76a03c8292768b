"""Docstrings as they are written here, made what Sphinx takes.

`Example:` stands at the margin of what follows it, as in Keras; without a blank line
Sphinx would read both as one paragraph.
"""


def setup(app):
    # before Napoleon, which is at 500
    app.connect("autodoc-process-docstring", _indent_examples, priority=400)
    app.connect("missing-reference", _within_the_package)
    return {"parallel_read_safe": True}


def _indent_examples(app, what, name, obj, options, lines):
    lines[:] = indented(lines)


def indented(lines):
    """Return lines with all that follows `Example:` indented, as a section.

    >>> indented(["Text.", "", "Example:", ">>> 1", "1"])
    ['Text.', '', 'Example:', '    >>> 1', '    1']
    """
    if "Example:" not in lines:
        return list(lines)
    begin = lines.index("Example:") + 1
    after = [f"    {line}" if line else "" for line in lines[begin:]]
    return [*lines[:begin], *after]


def _within_the_package(app, env, node, contnode):
    """Find `records.TrainingRecord` without the name of the package before it."""
    from sphinx.util.nodes import make_refnode

    target = f"keras_dlbasic.{node.get('reftarget')}"
    found = env.get_domain("py").objects.get(target)
    if node.get("refdomain") != "py" or found is None:
        return None
    place = node["refdoc"], found.docname, found.node_id
    return make_refnode(app.builder, *place, contnode, target)
