"""How a member plugs in: the client that its systems, the simulator and the command line use."""
