"""Photograph a report as it looks on a screen, a phone, on A4 and in grey; check its layout.

    python scripts/screenshots.py report.html --out shots

takes the report of an analysis or of a validation (``validation.html``), and needs Chromium (or
Chrome); pages of the PDF become pictures where ``pdftoppm`` is installed.
The checks: nothing scrolls sideways, no text is cut off, no two labels of a figure cover each
other, every section is there. The exit code is 0 if all hold, 1 if one fails, 2 for a wrong call
and 77 if there is no browser.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from drugsig.report.render import RUN_SECTIONS, SECTIONS
from drugsig.report.validation_page import VALIDATION_SECTIONS

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    "--virtual-time-budget=4000",
)
NO_BROWSER = 77
SCREEN_WIDTH = 1366
# The text width of the page: A4 without the margins of the style sheet, at 96 pixels an inch.
PRINT_WIDTH = 680
NARROW_WIDTH = 700
PHONE_WIDTH = 400
# A browser's picture has a largest height; longer pages are photographed in slices.
SLICE = 6000
TIMEOUT_S = 120

MEASURE = """
<script>
window.addEventListener("load", () => {
  const root = document.documentElement, found = [];
  const name = (e) => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") +
    (typeof e.className === "string" && e.className ? "." + e.className : "") +
    ": " + (e.textContent || "").trim().slice(0, 40);
  for (const e of document.body.querySelectorAll("*:not(svg):not(svg *)")) {
    const style = getComputedStyle(e);
    const wide = e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0;
    const hides = ["hidden", "clip"].includes(style.overflowX) || style.textOverflow === "ellipsis";
    const scrolls = ["auto", "scroll"].includes(style.overflowX);
    if (wide && (hides || (PRINTED && scrolls))) found.push("cut off: " + name(e));
    const box = e.getBoundingClientRect();
    const inside = e.closest(".table, figure") && !PRINTED;
    if (!inside && box.width && box.right > root.clientWidth + 1)
      found.push("too wide: " + name(e));
    if (PRINTED && style.overflowY !== "visible" && e.scrollHeight > e.clientHeight + 1)
      found.push("cut off below: " + name(e));
  }
  for (const svg of document.querySelectorAll("figure svg")) {
    const frame = svg.getBoundingClientRect();
    const figure = svg.closest("figure").id;
    const labels = [...svg.querySelectorAll('g[id*="-text_"]')]
      .map((g) => [g.id, g.getBoundingClientRect()]).filter(([, b]) => b.width && b.height);
    labels.forEach(([id, b], k) => {
      if (b.left < frame.left - 1 || b.right > frame.right + 1 || b.top < frame.top - 1 ||
          b.bottom > frame.bottom + 1) found.push("label cut off in " + figure + ": " + id);
      for (const [other, c] of labels.slice(k + 1)) {
        const across = Math.min(b.right, c.right) - Math.max(b.left, c.left);
        const down = Math.min(b.bottom, c.bottom) - Math.max(b.top, c.top);
        if (across > 2 && down > 2)
          found.push("labels cover each other in " + figure + ": " + id + " and " + other);
      }
    });
  }
  document.body.dataset.measured = JSON.stringify({
    scroll: root.scrollWidth, client: root.clientWidth, height: root.scrollHeight,
    ids: [...document.querySelectorAll("[id]")].map((e) => e.id),
    found: [...new Set(found)],
  });
});
</script>
"""


class BrowserError(RuntimeError):
    """The browser did not do what it was asked."""


def find_browser() -> str | None:
    """Return the path of a Chromium, or None where there is none."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def run_browser(browser: str, page: Path, *options: str) -> str:
    """Open a page in a browser with a profile of its own, and return what it prints."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [browser, *FLAGS, f"--user-data-dir={profile}", *options, page.as_uri()]
        done = subprocess.run(  # noqa: S603 - a browser found on the path, a file of ours
            command,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=TIMEOUT_S,
            check=False,
        )
    if done.returncode:
        raise BrowserError(f"{Path(browser).name} failed: {done.stderr.strip()[-500:]}")
    return done.stdout


def prepared(text: str, *, head: str = "", printed: bool = False) -> str:
    """Return a report with a style or script added, which its own policy would forbid."""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    if printed:
        text = text.replace("@media print", "@media all")
        # The window is as narrow as the paper, and what is meant for narrow screens is not for it.
        text = re.sub(r"@media screen[^{]*", "@media not all ", text)
    return text.replace("</head>", f"{head}</head>", 1)


def measure(browser: str, text: str, folder: Path, *, width: int, printed: bool) -> dict[str, Any]:
    """Return sizes, ids and faults of a page laid out at a width."""
    script = MEASURE.replace("PRINTED", "true" if printed else "false")
    page = folder / "measured.html"
    page.write_text(prepared(text, head=script, printed=printed), encoding="utf-8")
    dom = run_browser(browser, page, f"--window-size={width},900", "--dump-dom")
    match = re.search(r'data-measured="([^"]*)"', dom)
    if match is None:
        raise BrowserError("the page was opened, but its layout was not measured")
    measured: dict[str, Any] = json.loads(html.unescape(match.group(1)))
    return measured


def faults_of(measured: dict[str, Any], *, what: str) -> list[str]:
    """Return what is wrong with a layout, in words."""
    faults = [f"{what}: {text}" for text in measured["found"]]
    if measured["scroll"] > measured["client"]:
        faults.insert(
            0, f"{what}: the page scrolls sideways ({measured['scroll']} > {measured['client']})"
        )
    ids = measured["ids"]
    faults += [f"{what}: section '{i}' is missing" for i in wanted_sections(ids) if i not in ids]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    faults += [f"{what}: the id '{i}' comes more than once" for i in twice]
    return faults


def wanted_sections(ids: Sequence[str]) -> list[str]:
    """Return the sections that a report must have, by the kind of report that it is."""
    of_validation = [i for i, _ in VALIDATION_SECTIONS]
    of_analysis, of_runs = [i for i, _ in SECTIONS], [i for i, _, _ in RUN_SECTIONS]
    own = set(of_validation) - set(of_analysis) - set(of_runs)
    if own & set(ids):
        return of_validation
    # A report on profiles from runs has all of its own sections, any other has none.
    return of_analysis + (of_runs if set(of_runs) & set(ids) else [])


def photograph(
    browser: str,
    text: str,
    folder: Path,
    out: Path,
    *,
    height: int,
    width: int = SCREEN_WIDTH,
) -> list[Path]:
    """Write pictures of the whole page, from top to bottom, in colour and in grey."""
    made = []
    kind = "" if width == SCREEN_WIDTH else f"{width}px-"
    for number, top in enumerate(range(0, height, SLICE), start=1):
        tall = min(SLICE, height - top)
        style = f"<style>html {{ margin-top: -{top}px; overflow: hidden }}</style>"
        page = folder / "slice.html"
        page.write_text(prepared(text, head=style), encoding="utf-8")
        picture = out / f"screen-{kind}{number:02d}.png"
        run_browser(browser, page, f"--window-size={width},{tall}", f"--screenshot={picture}")
        if not picture.is_file():
            raise BrowserError(f"no picture was made of the part from {top} px")
        grey = out / f"grey-{kind}{number:02d}.png"
        with Image.open(picture) as image:
            image.convert("L").save(grey)
        made += [picture, grey]
    return made


def print_pages(browser: str, report: Path, out: Path) -> list[Path]:
    """Write the report as a PDF on A4, and its pages as pictures where that is possible."""
    pdf = out / "a4.pdf"
    run_browser(browser, report, "--no-pdf-header-footer", f"--print-to-pdf={pdf}")
    if not pdf.is_file():
        raise BrowserError("no PDF was made")
    tool = shutil.which("pdftoppm")
    if tool:
        command = [tool, "-png", "-r", "75", str(pdf), str(out / "a4")]
        subprocess.run(command, check=True, timeout=TIMEOUT_S)  # noqa: S603 - found on the path
    return [pdf, *sorted(out.glob("a4-*.png"))]


def examine(browser: str, report: Path, out: Path) -> list[str]:
    """Photograph a report into a folder and return the faults of its layout."""
    out.mkdir(parents=True, exist_ok=True)
    text = report.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        screen = measure(browser, text, folder, width=SCREEN_WIDTH, printed=False)
        narrow = measure(browser, text, folder, width=NARROW_WIDTH, printed=False)
        phone = measure(browser, text, folder, width=PHONE_WIDTH, printed=False)
        paper = measure(browser, text, folder, width=PRINT_WIDTH, printed=True)
        made = photograph(browser, text, folder, out, height=int(screen["height"]))
        made += photograph(
            browser, text, folder, out, height=int(phone["height"]), width=PHONE_WIDTH
        )
    made += print_pages(browser, report.resolve(), out)
    for path in made:
        sys.stdout.write(f"{path}\n")
    return [
        *faults_of(screen, what="screen"),
        *faults_of(narrow, what="narrow window"),
        *faults_of(phone, what="phone"),
        *faults_of(paper, what="paper"),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Photograph a report and check its layout.")
    parser.add_argument("report", type=Path, help="a report.html")
    parser.add_argument("--out", type=Path, default=Path("screenshots"), help="folder to write to")
    given = parser.parse_args(arguments)
    if not given.report.is_file():
        parser.error(f"there is no report '{given.report}'")
    browser = find_browser()
    if browser is None:
        sys.stderr.write("no Chromium or Chrome was found on the path: nothing was checked\n")
        return NO_BROWSER
    faults = examine(browser, given.report, given.out)
    for fault in faults:
        sys.stderr.write(f"FAULT {fault}\n")
    sys.stdout.write(f"{len(faults)} fault(s) found\n" if faults else "layout as it should be\n")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
