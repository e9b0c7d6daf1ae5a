"""From tidy tables of outcomes to estimates, intervals and a verdict in words."""
