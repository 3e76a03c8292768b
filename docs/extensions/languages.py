"""Korean pages say that they are Korean: to browsers, screen readers and search."""

FOLDER = "ko/"


def setup(app):
    app.connect("html-page-context", _language)
    return {"parallel_read_safe": True}


def _language(app, pagename, templatename, context, doctree):
    if pagename.startswith(FOLDER):
        context["language"] = "ko"
