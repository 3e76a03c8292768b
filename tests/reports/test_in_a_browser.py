"""The page in a browser without a window, where there is one."""

import shutil
import subprocess

import pytest
from made_runs import STUCK, made_run

import keras_dlbasic as kd

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    page = folder / "report.html"
    record = made_run(dead=1.0, ratio=0.5, **STUCK)
    record.note(model_name="<script>document.title = 'ran'</script>")
    kd.diagnose(record).to_html(page)
    return subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--enable-logging=stderr",
            f"--user-data-dir={folder / 'profile'}",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )


def test_nothing_is_said_on_the_console(opened):
    said = [line for line in opened.stderr.splitlines() if "CONSOLE" in line]
    assert said == []


def test_the_script_ran_and_only_that(opened):
    assert "<title>Training report</title>" in opened.stdout
    # shown by the page's own script, which the policy lets run
    assert '<button type="button" class="copy">Copy</button>' in opened.stdout
    assert "&lt;script&gt;document.title" in opened.stdout
