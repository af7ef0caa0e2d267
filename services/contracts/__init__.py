"""Words: what services say to each other. Messages for the bus, shapes for RPC and HTTP, and refusals."""
