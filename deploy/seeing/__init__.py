"""What to look at and when to be woken: a dashboard for Grafana, rules for Prometheus, and where that looks."""
