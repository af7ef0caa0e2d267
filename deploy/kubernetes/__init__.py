"""The platform in a cluster: `kubectl apply -k deploy/kubernetes/small`, or `…/production`. README.md says the rest."""
