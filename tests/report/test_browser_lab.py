"""Contract: JupyterLab opens notebook 00 and runs it from the menu."""

import json
import os
import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import browser

ROOT = Path(__file__).parents[2]
SECONDS = 90

pytestmark = pytest.mark.slow


@pytest.fixture
def lab(tmp_path):
    """JupyterLab on a free port, with an empty home; yields its address with the token."""
    browser.chromium()
    names = {
        "HOME": tmp_path,
        "JUPYTER_RUNTIME_DIR": tmp_path / "runtime",
        "JUPYTER_DATA_DIR": tmp_path / "data",
        "JUPYTERLAB_SETTINGS_DIR": tmp_path / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": tmp_path / "spaces",
    }
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"]
    command += ["--ServerApp.port=0", "--LabApp.news_url=None", "--LabApp.check_for_updates_class="
                "jupyterlab.NeverCheckForUpdate"]  # fmt: skip
    environment = {**os.environ, **{k: str(v) for k, v in names.items()}}
    server = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield _address(tmp_path / "runtime")
    finally:
        server.terminate()
        server.wait(20)


def _address(runtime: Path) -> tuple[str, str]:
    """Wait until the server says where it is."""
    limit = time.monotonic() + SECONDS
    while time.monotonic() < limit:
        for path in runtime.glob("jpserver-*.json"):
            found = json.loads(path.read_text(encoding="utf-8"))
            url, token = found["url"], found["token"]
            with suppress(URLError), urlopen(f"{url}api?token={token}", timeout=5):
                return url, token
        time.sleep(0.3)
    pytest.fail("JupyterLab did not start")


def test_notebook_00_runs_from_the_menu(lab):
    url, token = lab
    name = next((ROOT / "notebooks").glob("00_*.ipynb")).name
    before = (ROOT / "notebooks" / name).read_bytes()
    with browser.browser() as opened:
        page = opened.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{url}lab/tree/notebooks/{name}?token={token}")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=SECONDS * 1000)
        page.get_by_text("| Idle").wait_for(timeout=SECONDS * 1000)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name=re.compile("^Run All Cells$")).click()
        last = page.locator(".jp-CodeCell").last.locator(".jp-InputPrompt")
        last.filter(has_text=re.compile(r"\[\d+\]")).wait_for(timeout=SECONDS * 1000)
        text = page.locator(".jp-Notebook").inner_text()
        failed = page.locator(".jp-OutputArea-output[data-mime-type*='stderr'], .jp-RenderedError")
        assert failed.count() == 0
        assert "SIMULATED" in text
    assert (ROOT / "notebooks" / name).read_bytes() == before
