"""Words that services say to each other: messages for the bus, calls, shapes for RPC and HTTP, and refusals."""
