"""The processes that benchmarks run beside Venom: an upstream of our own and bare baselines."""
