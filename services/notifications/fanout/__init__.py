"""Fan-out: from one message on the bus to a line in the inbox of everybody whom it concerns."""
