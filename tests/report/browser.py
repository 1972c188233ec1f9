"""What the browser tests share: Debian's Chromium driven by Playwright, and what it reports."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

SERIOUS = {"serious", "critical"}
PHONE, DESK = (390, 844), (1280, 900)


def chromium() -> str:
    """Return the installed browser, or skip: the product needs none, so setting up brings none."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if found is None:
        pytest.skip("no chromium is installed; install Debian's package chromium to run this")
    return found


@dataclass
class Seen:
    """What a page did while it was open."""

    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def browser() -> Iterator:
    """Open the browser without network services of its own."""
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=flags)
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def page_of(opened, path: Path, size: tuple[int, int], theme: str = "light") -> Iterator:
    """Open a file and watch its console and its requests."""
    width, height = size
    context = opened.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, java_script_enabled=True
    )
    page, seen = context.new_page(), Seen()
    page.on("console", lambda m: seen.errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("request", lambda request: seen.requests.append(request.url))
    page.goto(path.as_uri())
    try:
        yield page, seen
    finally:
        context.close()


def violations(page) -> list[str]:
    """Return what axe finds that keeps people from reading the page."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{v['id']}: {v['help']} ({v['nodes'][0]['html'][:120]})"
        for v in found
        if v["impact"] in SERIOUS
    ]
