"""The gateway on the bus: its link, calls to the services, the messages that it hears, and the live streams."""
