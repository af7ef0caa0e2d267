"""`python -m deploy.advisories`: look for known vulnerabilities in the installed packages.

It asks the service that keeps the advisories. If that can't be reached, it says so and succeeds.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

# It includes the packages of all others, but for those of `make generators`, which see no data.
LOCKED = Path(__file__).parents[1] / "requirements" / "dev.txt"
PATIENCE = 90  # seconds


def read(printed: str) -> tuple[list[str], int]:
    """A line for each vulnerability in pip-audit's JSON, and the number of packages that were looked up."""
    found: list[dict[str, Any]] = json.loads(printed)["dependencies"]
    looked_up = [each for each in found if "skip_reason" not in each]
    lines = [
        f"{each['name']} {each['version']}: {flaw['id']}, mended by {' '.join(flaw['fix_versions']) or 'nothing yet'}"
        for each in looked_up
        for flaw in each["vulns"]
    ]
    return lines, len(looked_up)


def main() -> int:
    """Return 1 if there is a vulnerability, 0 if there is none or the advisories can't be reached."""
    tool = str(Path(sys.executable).with_name("pip-audit"))
    command = [tool, "--disable-pip", "--require-hashes", "-r", str(LOCKED), "--progress-spinner", "off", "-f", "json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        flaws, looked_up = read(done.stdout)
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        flaws, looked_up = [], 0
    if not looked_up:
        print("Known vulnerabilities: skipped, the advisories can't be had here.")
    elif not flaws:
        print(f"Known vulnerabilities: none in {looked_up} packages.")
    for line in flaws:
        print(line)
    return 1 if flaws else 0


if __name__ == "__main__":
    sys.exit(main())
