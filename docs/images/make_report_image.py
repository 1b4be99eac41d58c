"""Make the image of a report that the README shows, in a real browser.

make demo
python docs/images/make_report_image.py runs/demo/report.html
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent


def main(report: str) -> None:
    """Photograph what a report says of labels."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1100, "height": 900})
        page.goto(Path(report).resolve().as_uri())
        page.wait_for_load_state("networkidle")
        labels = page.get_by_role("heading", name="Wrong labels").bounding_box()
        assert labels is not None
        clip = {"x": 30, "y": labels["y"] - 20, "width": 1040, "height": 1300}
        page.screenshot(
            path=HERE / "report.jpg", type="jpeg", quality=75, full_page=True, clip=clip
        )
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
