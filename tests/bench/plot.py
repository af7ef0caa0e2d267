"""The results as a picture (SVG): a bar a row, its ratio as a share of its target, and the target as a line."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from tests.bench.report import number, split
from tests.bench.rows import Row

WIDTH, LEFT, RIGHT = 880, 372, 112  # of all; of the names; of the figures
TOP, LINE, BAR, FOOT = 92, 38, 14, 76
MOST = 2.0  # times the target: longer bars are cut off, with a tip
SCALE = (WIDTH - LEFT - RIGHT) / MOST
TIP = 7
NAME_AT_MOST, FIGURES_AT_MOST, FOOT_AT_MOST = 52, 68, 150  # letters
FONT = '-apple-system, BlinkMacSystemFont, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif'
STYLE = f"""
text {{ font: 12.5px {FONT}; fill: #1f2328 }}
.title {{ font-size: 18px; font-weight: 600 }}
.small {{ font-size: 10.5px }}
.quiet {{ fill: #59636e }}
.figure {{ font-variant-numeric: tabular-nums }}
.strong {{ font-weight: 600 }}
.end {{ text-anchor: end }}
.middle {{ text-anchor: middle }}
.met {{ fill: #1a7f64 }}
.missed {{ fill: #bc6c00 }}
.track {{ fill: #818b98; fill-opacity: .13 }}
.target {{ stroke: #1f2328; stroke-width: 1.5 }}
@media (prefers-color-scheme: dark) {{
  text {{ fill: #e6edf3 }}
  .quiet {{ fill: #9198a1 }}
  .met {{ fill: #3fb68b }}
  .missed {{ fill: #e09b3d }}
  .target {{ stroke: #e6edf3 }}
}}
"""


def plot(rows: Sequence[Row], about: Mapping[str, str]) -> str:
    """A picture that reads well on light and on dark ground."""
    measured, _ = split(rows)
    bottom, target = TOP + LINE * len(rows), LEFT + SCALE
    count = f"{sum(row.met for row in measured)} of {len(measured)} targets are met"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + FOOT}" role="img">',
        f"<title>How far from its targets: {count}</title>",
        f"<style>{STYLE}</style>",
        _text(0, 22, "How far from its targets", "title"),
        _text(0, 44, f"Each bar is a ratio to what was measured in turn with it, beside its target: {count}.", "quiet"),
        _text(target, TOP - 12, "target", "middle strong"),
        _text(WIDTH, TOP - 12, "ratio  /  target", "quiet end"),
        *(part for place, row in enumerate(rows) for part in _row(row, TOP + LINE * place)),
        f'<line class="target" x1="{target}" y1="{TOP - 6}" x2="{target}" y2="{bottom - 6}"/>',
        *(_text(0, bottom + 22 + 18 * line, says, "quiet small") for line, says in enumerate(_foot(about))),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _row(row: Row, top: float) -> Iterator[str]:
    middle = top + LINE / 2 + 1
    yield _text(0, top + 15, _short(row.name, NAME_AT_MOST), "")
    yield _text(0, top + 29, _short(_figures(row), FIGURES_AT_MOST), "quiet small")
    yield f'<rect class="track" x="{LEFT}" y="{top + 10}" width="{SCALE * MOST}" height="{BAR}" rx="2"/>'
    if not row.runs:
        yield _text(WIDTH, middle, "not measured", "quiet end")
        return
    yield _bar(row, top + 10)
    yield _text(WIDTH - 52, middle, _ratio(row.ratio), "figure end strong")
    yield _text(WIDTH, middle, f"/  {_ratio(row.target)}", "figure end quiet")


def _bar(row: Row, top: float) -> str:
    share, kind = row.ratio / row.target, "met" if row.met else "missed"
    says = f"<title>{escape(f'{share:.2f} of the target')}</title>"
    if share <= MOST:
        width = max(SCALE * share, 1.5)
        return f'<rect class="{kind}" x="{LEFT}" y="{top}" width="{width:.1f}" height="{BAR}" rx="2">{says}</rect>'
    end, lower = LEFT + SCALE * MOST, top + BAR
    edge = f"{LEFT},{top} {end - TIP},{top} {end},{top + BAR / 2} {end - TIP},{lower} {LEFT},{lower}"
    return f'<polygon class="{kind}" points="{edge}">{says}</polygon>'


def _figures(row: Row) -> str:
    if not row.runs:
        return row.why
    figures = f"{number(row.value)} {row.unit}; {row.against}: {number(row.limit)}"
    return f"{row.note}: {figures}" if row.note else figures


def _short(says: str, most: int) -> str:
    return says if len(says) <= most else f"{says[: most - 1]}…"


def _ratio(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _foot(about: Mapping[str, str]) -> list[str]:
    return [_short(about[name], FOOT_AT_MOST) for name in ("machine", "backends", "versions")]


def _text(x: float, y: float, says: str, kind: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{kind}">{escape(says)}</text>'
