"""A dashboard for Grafana, rules for alerts, and the settings of a Prometheus."""
