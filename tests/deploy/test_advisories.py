"""Reports about vulnerabilities are read in the tool's own format."""

import json

from deploy.advisories import read

FLAW = {"id": "PYSEC-2026-1", "fix_versions": ["2.1"], "aliases": ["CVE-2026-0001"], "description": "…"}


def test_each_vulnerability_is_a_line_and_what_could_not_be_looked_up_does_not_count() -> None:
    said = {
        "dependencies": [
            {"name": "bread", "version": "2.0", "vulns": [FLAW, FLAW | {"id": "PYSEC-2026-2", "fix_versions": []}]},
            {"name": "wine", "version": "1.0", "vulns": []},
            {"name": "salt", "skip_reason": "not found"},
        ],
        "fixes": [],
    }
    assert read(json.dumps(said)) == (
        ["bread 2.0: PYSEC-2026-1, mended by 2.1", "bread 2.0: PYSEC-2026-2, mended by nothing yet"],
        2,
    )
    assert read('{"dependencies": [{"name": "salt", "skip_reason": "not found"}]}') == ([], 0)
