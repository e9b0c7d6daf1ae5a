"""The cases, one file each: published ones by number, laws, and the shipped limits."""
