"""From records to statements: paired contrasts, intervals and the verdict in words."""
