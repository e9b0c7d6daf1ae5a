"""The compiled inner loops: arrays in, arrays out, and the only place that knows Numba."""
