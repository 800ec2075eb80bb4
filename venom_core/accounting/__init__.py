"""Counting what was asked: the usage ledger, daily limits, and Prometheus' figures."""
