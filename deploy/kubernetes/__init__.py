"""The platform in a cluster: `kubectl apply -k deploy/kubernetes/small`, or `…/production`. See README.md."""
