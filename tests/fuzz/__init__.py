"""Schemathesis tries what the OpenAPI document says on a running platform: `make fuzz`."""
