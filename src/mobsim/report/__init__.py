"""One offline page from tables and figures."""
