"""Sessions: how a member proves who they are, on each of their devices."""
