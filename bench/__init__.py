"""Benchmarks: they report, and never assert. ``python bench/run.py --help`` lists them."""
