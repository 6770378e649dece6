"""What the flash holds: configuration, identity, totals and the outbox."""
