"""Fan-out: one message on the bus becomes a line in the inbox of each member whom it concerns."""
