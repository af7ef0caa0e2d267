"""The rig: what tests stand on. Servers, processes, clients, and things that go wrong on purpose."""
