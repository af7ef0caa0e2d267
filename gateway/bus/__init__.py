"""The gateway on the bus: its link, calls to the services, what it hears, and the live streams."""
