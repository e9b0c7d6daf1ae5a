"""Sweeps: a design becomes points, points become tasks, and one ledger keeps what they gave."""
