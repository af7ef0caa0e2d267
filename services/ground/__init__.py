"""The ground: what every process stands on, the gateway too: clock, identifiers, settings, logs, tokens, traces."""
