"""The ground of every process, the gateway too: clock, identifiers, settings, logs, tokens, traces."""
