"""`python -m deploy.kubernetes`: render every overlay for a cluster, and check each object."""

import sys

from deploy.kubernetes.rendered import OVERLAYS, flaws, render


def main() -> int:
    """Return 1 if something is wrong, else 0."""
    found = {overlay: render(overlay) for overlay in OVERLAYS}
    problems = [f"{overlay}: {flaw}" for overlay, objects in found.items() for each in objects for flaw in flaws(each)]
    counts = ", ".join(f"{len(objects)} objects of {overlay}" for overlay, objects in found.items())
    print("\n".join(problems) or f"Kubernetes: {counts}, each as it should be.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
