"""The pages that need no app: the API's and the bus's, on a phone."""

import pytest
from playwright.sync_api import ViewportSize

from tests.web.conftest import PHONE, SHOTS
from tests.web.test_journeys import Visit
from tests.web.test_screens import NARROW, SIDEWAYS

# What is wider than the page and does not scroll by itself.
WIDE = """[...document.querySelectorAll('body *')].filter(
  each => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && !each.closest('pre, .wide'),
).map(each => each.outerHTML.slice(0, 90))"""


@pytest.mark.parametrize(("path", "size"), [("/docs", PHONE), ("/bus", NARROW)], ids=["docs", "bus"])
def test_a_page_does_not_scroll_sideways(visit: Visit, path: str, size: ViewportSize) -> None:
    page = visit(size, has_touch=True).goto(path)
    page.get_by_role("heading").nth(2).wait_for()
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"page-{path[1:]}.png")
    told = page.evaluate(WIDE)
    assert page.evaluate(SIDEWAYS) <= 0, told
