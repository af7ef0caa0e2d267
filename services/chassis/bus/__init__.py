"""The bus: one connection that publishes and one that consumes, per capability, each surviving the broker's absence.

py-amqp is used below nameko's own consumer and publisher, whose measured faults (malformed messages lost, processes
killed by a bad header or by a late acknowledgement, publishing without a time-out) have no place here. `line` is a
connection, `publisher` and `intake` use one each, `delivery` is what arrived, `topology` is what the broker holds.
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
