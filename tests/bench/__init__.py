"""How fast the platform is beside its limits: each figure with its limit, measured in turn, in one run.

`make bench`, with `ONLY=me,fanout,memory` for some of it and `SCALE=smoke` for a short run. Only ratios are worth
comparing between machines or days. Nothing here fails because something is slow.
"""

import warnings

warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
