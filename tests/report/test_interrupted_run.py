"""Contract: a run that is stopped leaves whole pages and no process behind."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX"),
]

SECONDS = 60
SOFT = (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM))


@pytest.fixture
def short_folder():
    """A folder for temporary files; below that of pytest a socket's path would be too long."""
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as name:
        yield Path(name)


def start(project, private):
    command = [sys.executable, "-m", "helpers.cli", "run", "toy", "--workers", "2"]
    env = {**os.environ, "STUDY_ROOT": str(project.root), "TMPDIR": str(private)}
    return subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)


def wait_for(condition):
    until = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


def gone(pid):
    """Tell whether a process has ended (or only waits to be collected)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("blow", [*SOFT, signal.SIGKILL], ids=str)
def test_what_was_finished_is_whole_and_nothing_runs_on(project, short_folder, blow):
    project.notebook("10_quick", "print('whole')")
    project.notebook("20_endless", "import os, time\nopen('pid', 'w').write(str(os.getpid()))",
                     "time.sleep(600)")  # fmt: skip
    folder = project.root / "reports" / "toy" / "en"
    pid_file = project.root / "pid"
    process = start(project, short_folder)
    try:
        wait_for(lambda: (folder / "10_quick.html").exists() and pid_file.exists())
        wait_for(lambda: pid_file.read_text() != "")
        process.send_signal(blow)
        _out, err = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    kernel = int(pid_file.read_text())
    wait_for(lambda: gone(kernel))
    wait_for(lambda: not list(short_folder.glob("study-*")))
    page = (folder / "10_quick.html").read_text(encoding="utf-8")
    assert "whole" in page and page.rstrip().endswith("</html>")
    assert not (folder / "20_endless.html").exists()
    if blow != signal.SIGKILL:
        assert process.returncode == 128 + blow
        assert "finished are whole" in err and "Traceback" not in err
        assert "10_quick.html" in (folder / "index.html").read_text(encoding="utf-8")
        assert not list(folder.rglob(".new-*"))
