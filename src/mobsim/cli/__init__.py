"""The command line: thin, and calling only what the package offers everyone."""
