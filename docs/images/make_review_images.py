"""Make the images of docs/review.md: a rehearsed review of a run, in a real browser.

    python docs/images/make_review_images.py runs/garments

The run needs images and a known truth, as that of docs/examples/garments.yaml has.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
ADC = [sys.executable, "-m", "adc_core.cli", "review"]

COPIES = """
dataset: {dataset}
encoder: patches
detectors: [simifeat]
"""


def main(run: str) -> None:
    """Rehearse a review, begin another one, and take a photograph of each page."""
    plan = ["plan", "--again", "--budget", "300", "--votes", "3", "--tasks", "vote,select"]
    subprocess.run([*ADC, run, *plan, "--attributes"], check=True)
    subprocess.run([*ADC, run, "rehearse", "--people", "5", "--lazy", "1"], check=True)
    photograph(run, {"review-dashboard": ("owner", "", 900)})
    subprocess.run([*ADC, run, *plan, "--attributes"], check=True)
    photograph(
        run, {"review-vote": ("r01", "/vote", 640), "review-select": ("r01", "/select", 900)}
    )
    with tempfile.TemporaryDirectory() as folder:
        pipeline, copies = Path(folder, "copies.yaml"), str(Path(folder, "garments"))
        pipeline.write_text(COPIES.format(dataset=Path(run, "collector").resolve()))
        subprocess.run([*ADC[:-1], "run", str(pipeline), "--out", copies], check=True)
        subprocess.run([*ADC, copies, "plan", "--duplicate-similarity", "0.97"], check=True)
        photograph(copies, {"review-duplicates": ("owner", "/duplicates", 760)})


def photograph(run: str, pages: dict[str, tuple[str, str, int]]) -> None:
    """Serve a review and write one JPEG for each page."""
    words = [*ADC, run, "--port", "0", "--no-browser"]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    links: dict[str, str] = {}
    for line in server.stdout:
        if found := re.match(r"(owner|r\d+): (http\S+)", line):
            links[found[1]] = found[2]
        if line.startswith("Ctrl-C"):
            break
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        for name, (who, path, height) in pages.items():
            page = browser.new_page(viewport={"width": 1100, "height": height})
            page.goto(links[who] + path)
            page.wait_for_load_state("networkidle")
            # The links are void by the time that anybody reads the docs, and secrets all the same.
            page.screenshot(path=HERE / f"{name}.jpg", type="jpeg", quality=75)
        browser.close()
    server.terminate()
    server.wait()


if __name__ == "__main__":
    main(sys.argv[1])
