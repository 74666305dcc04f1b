"""Where work comes from: the protocol, its client and this device's identity."""
