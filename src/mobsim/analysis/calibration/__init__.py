"""Calibration: which values of a scenario fit what was observed, and how far that can be believed.

A calibration file says what varies, what was observed and what is held out (`spec`, `observed`). Trials are
simulated (`simulated`), scored (`score`) and chosen (`search`). The best one is held against simple forecasts
on what was held out (`baselines`), and against all other trials that fit as well (`identify`). `calibrate`
does all of it, and `outcome` writes what came out, which a scenario can name (scenario/calibrated.py).
"""
