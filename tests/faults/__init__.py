"""`make faults`: our promises hold while things break. Experiments on a real broker and store and real processes.

`ONLY=5,14` chooses experiments, `SCALE=smoke|full` their sizes (smoke is for CI and leaves the slow ones out unless
ONLY names them), `SEED=` the moments at which things break. The results go to the terminal and to build/faults.json.
The numbers are those of the promises; 26 and 30 to 33 are not here yet.
"""

import warnings

warnings.filterwarnings("ignore", message="\\s*Eventlet is deprecated")  # see the decisions
