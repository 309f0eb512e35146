"""Takes the pictures of the gallery: ``python tools/site/pictures.py FRAMES``, after ``make docs``.

Plots come from the notebooks of the site. A table of a notebook and a terminal are drawn by Chromium. The terminal
shows commands that really run, on frames that ``python -m tessera_local frames`` wrote.
"""

from __future__ import annotations

import argparse
import html
import os
import pty
import re
import subprocess
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[2]
SITE = ROOT / "build/docs"
PICTURES = ROOT / "docs/pictures"
PLOTS = {
    "frames": ("tutorials/frames_to_cutouts.html", 0),
    "footprint": ("tutorials/frames_to_cutouts.html", 1),
    "colours": ("tutorials/cutout_kinds.html", 2),
    "combined": ("tutorials/cutout_kinds.html", -1),
    "pixels": ("tutorials/light_curve_to_period.html", 0),
    "light-curve": ("tutorials/light_curve_to_period.html", 1),
    "period": ("tutorials/light_curve_to_period.html", 4),
    "asteroid": ("tutorials/moving_target.html", 0),
    "asteroid-light-curve": ("tutorials/moving_target.html", 2),
}
"""Page and number of a plot on it."""
TABLE = "tutorials/light_curve_to_period.html"
COMMANDS = (
    ("tessera cube make frames/*_ffic.fits -o cube.fits --sector 1", None),
    ('tessera search "98.2164 -75.9018" --cube cube.fits', None),
    ("tessera cut stars.csv --cube cube.fits -s 11 -o cutouts", 0.62),
)
"""Commands of the terminal, and the part after which one is shown while it runs."""
WIDE = (
    ".bd-sidebar-secondary,.bd-sidebar-primary{display:none!important}.bd-article-container{max-width:none!important}"
)
SCREEN = """<meta charset=utf-8><style>body{margin:0;background:#16191f;color:#d8dee9;width:1120px}
pre{font:15px/1.4 "DejaVu Sans Mono",monospace;margin:18px;white-space:pre-wrap}b{color:#8fbcbb}</style><pre>"""


def main() -> None:
    """Write all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("frames", type=Path, help="folder with frames of the demonstration")
    frames = parser.parse_args().frames.resolve()
    for name, (page, number) in PLOTS.items():
        found = re.findall(r'<img[^>]* src="\.\./(_images/[^"]+)"', (SITE / page).read_text(encoding="utf-8"))
        (PICTURES / f"{name}.png").write_bytes((SITE / found[number]).read_bytes())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        take_table(browser)
        take_terminal(browser, session(frames))
        browser.close()


def take_table(browser: Browser) -> None:
    """Draw the result of a search as a notebook shows it."""
    page = browser.new_page(viewport={"width": 1400, "height": 900}, device_scale_factor=1.5)
    page.goto((SITE / TABLE).as_uri())
    page.add_style_tag(content=WIDE)
    page.locator(".cell:has(table)").first.screenshot(path=str(PICTURES / "notebook-table.png"))


def take_terminal(browser: Browser, lines: str) -> None:
    """Draw lines as a terminal shows them."""
    page = browser.new_page(viewport={"width": 1120, "height": 200}, device_scale_factor=1.5)
    page.set_content(SCREEN + lines + "</pre>")
    page.screenshot(path=str(PICTURES / "terminal.png"), full_page=True)


def session(frames: Path) -> str:
    """What the commands print on a terminal, as HTML."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "frames").symlink_to(frames)
        (Path(folder) / "stars.csv").write_text(stars(), encoding="utf-8")
        (Path(folder) / "tessera").write_text(
            f'#!/bin/sh\nPYTHONPATH={ROOT}/layers/engine/src exec {ROOT}/.venv/bin/python -m tessera "$@"\n',
            encoding="utf-8",
        )
        (Path(folder) / "tessera").chmod(0o755)
        shown = []
        for command, part in COMMANDS:
            shown.append(f"<b>$ {html.escape(command)}</b>\n{html.escape(run(command, Path(folder), part))}")
    return "\n".join(shown)


def stars() -> str:
    """A table of a thousand positions on the CCD of the demonstration."""
    rows = [f"{88 + 0.15 * (n % 40):.2f},{-76 + 0.06 * (n // 40):.2f}" for n in range(1000)]
    return "ra,dec\n" + "\n".join(rows) + "\n"


def run(command: str, folder: Path, part: float | None) -> str:
    """Screen of a command after its end, or when its bar reaches a part of the whole."""
    controller, terminal = pty.openpty()
    environment = os.environ | {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "COLUMNS": "112",
        "TERM": "xterm",
        "PYTHONWARNINGS": "",
    }
    process = subprocess.Popen(
        ["bash", "-c", f"stty cols 112 rows 40; exec {command}"],
        cwd=folder,
        env=environment,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    written = b""
    while True:
        try:
            written += os.read(controller, 4096)
        except OSError:  # the program closed its side
            break
        percent = re.findall(rb"(\d+)%[^\r\n]*cutout/s", written)
        if part is not None and percent and int(percent[-1]) >= 100 * part:
            process.kill()
            break
    process.wait()
    os.close(controller)
    return screen(written.decode())


def screen(written: str) -> str:
    """Lines that a terminal shows: a carriage return begins the line anew."""
    lines = [
        re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", line).rstrip("\r").rpartition("\r")[2] for line in written.split("\n")
    ]
    return "\n".join(lines).strip("\n")


if __name__ == "__main__":
    main()
