"""Communities through the weeks: state arrays, the phases of a week, and what is recorded."""
