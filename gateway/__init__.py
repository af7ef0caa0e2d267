"""The gateway: the platform's one HTTP door. It translates between HTTP and RPC, and holds no rules."""
