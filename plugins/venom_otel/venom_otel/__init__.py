"""OpenTelemetry for Venom: traces and metrics of what models were asked."""
