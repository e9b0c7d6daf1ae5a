"""A sweep: what is missing of a plan is run, and every finished task is kept in one ledger."""
