"""The idle platform: the time until it is ready, and the memory it occupies."""

import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from tests.bench.ground import Ground
from tests.bench.parts import part
from tests.bench.rows import Row

MEGABYTE = 1_000_000
PROMISED = 700.0  # megabytes
READY_WITHIN = 10.0  # seconds
SIGN_INS = 100
SETTLE = 3  # seconds that the processes have to become idle


@part(
    "idle",
    Row("platform ready after its start", "s", "the promise", at_most=1.0),
    Row("idle platform, resident", "MB", "the promise", at_most=1.0),
    Row(f"idle platform, resident after {SIGN_INS} sign-ins", "MB", "the promise", at_most=1.0),
)
def idle(ground: Ground, ready: Row, fresh: Row, used: Row) -> None:
    """With broker and store up. Memory that processes share counts for each of them."""
    for _ in range(ground.size(1, 1, 3)):
        ground.alone()
        platform = ground.whole()
        ready.add(platform.took, READY_WITHIN)
        _weigh(ground, fresh, platform.pids)
        email = platform.administrator.profile["email"]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(platform.sign_in, [email] * ground.size(4, SIGN_INS, SIGN_INS)))
        _weigh(ground, used, platform.pids)


def _weigh(ground: Ground, row: Row, pids: Mapping[str, int]) -> None:
    time.sleep(ground.size(0, SETTLE, SETTLE))
    found = {name: size / MEGABYTE for name, size in resident(pids).items()}
    ground.say(f"  {row.name}: " + ", ".join(f"{name} {size:.0f} MB" for name, size in found.items()))
    row.add(sum(found.values()), PROMISED)


def resident(pids: Mapping[str, int]) -> dict[str, int]:
    """Resident bytes of every process; those of a gunicorn's workers by themselves."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,rss="], capture_output=True, text=True, check=True).stdout
    processes = [tuple(map(int, row.split())) for row in listed.splitlines()]
    sizes: dict[str, int] = {}
    for name, pid in pids.items():
        for found, parent, kilobytes in processes:
            if found == pid:
                sizes[name] = kilobytes * 1024
            elif parent == pid:
                sizes[f"{name}'s worker"] = sizes.get(f"{name}'s worker", 0) + kilobytes * 1024
    return sizes
