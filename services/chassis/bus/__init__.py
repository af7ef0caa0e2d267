"""The bus: each capability has a connection to publish and one to consume. Both survive the broker's absence.

The bus uses py-amqp directly, instead of nameko's own consumer and publisher. Those have measured faults: they lose
malformed messages, a bad header or a late acknowledgement kills the process, and publishing has no time-out. `line` is
a connection; `publisher` and `intake` use one each. `delivery` is an arrived message, `topology` the broker's queues.
"""

from services.chassis.bus.delivery import Delivery
from services.chassis.bus.intake import Intake
from services.chassis.bus.line import PATIENCE, BusDown, connect
from services.chassis.bus.publisher import Publisher, await_confirm
from services.chassis.bus.topology import DEAD, QUORUM, RPC_EXCHANGE, TopologyDrift, declare_exchanges

__all__ = [
    "DEAD",
    "PATIENCE",
    "QUORUM",
    "RPC_EXCHANGE",
    "BusDown",
    "Delivery",
    "Intake",
    "Publisher",
    "TopologyDrift",
    "await_confirm",
    "connect",
    "declare_exchanges",
]
