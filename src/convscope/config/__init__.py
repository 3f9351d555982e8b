"""params.yaml, typed, frozen and with unknown keys refused; may import nets, data and base."""
