"""JSON Schemas of the operators' objects, by kind, for the parts that we use. Source: the operators' own pages.

Kubernetes' schemas do not contain them, and an operator silently drops unknown fields.
"""

from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string", "minLength": 1}
ANY: Schema = {}


def _each(items: Schema) -> Schema:
    return {"type": "array", "items": items, "minItems": 1}


def _only(needed: dict[str, Schema], /, **optional: Schema) -> Schema:
    properties = needed | optional
    return {"type": "object", "properties": properties, "required": list(needed), "additionalProperties": False}


def _count(least: int) -> Schema:
    return {"type": "integer", "minimum": least}


def _kind(version: str, spec: Schema) -> Schema:
    named = {"type": "object", "required": ["name", "namespace"]}
    return _only({"apiVersion": {"const": version}, "kind": TEXT, "metadata": named, "spec": spec})


NAMED = _only({"name": TEXT})
SELECTOR = _only({}, matchLabels={"type": "object"}, matchExpressions=_each({"type": "object"}))

CPU = _only(
    {
        "type": {"const": "cpu"},
        "metricType": {"enum": ["Utilization", "AverageValue"]},
        "metadata": _only({"value": {"type": "string", "pattern": r"^\d+$"}}),  # all of these are text
    }
)
RABBITMQ = _only(
    {
        "type": {"const": "rabbitmq"},
        "metadata": _only(
            {
                "protocol": {"enum": ["amqp", "http"]},
                "mode": {"const": "QueueLength"},
                "value": {"type": "string", "pattern": r"^\d+$"},
                "queueName": TEXT,
            }
        ),
        "authenticationRef": NAMED,
    }
)

ENDPOINT = _only(
    {"port": TEXT},
    path=TEXT,
    interval=TEXT,
    relabelings=_each(_only({"targetLabel": TEXT, "replacement": TEXT}, sourceLabels=_each(TEXT))),
)
WORDS: Schema = {"type": "object", "additionalProperties": TEXT}
RULE = _only({"alert": TEXT, "expr": TEXT, "labels": WORDS, "annotations": WORDS}, **{"for": TEXT})
RULES = _only({"name": TEXT, "rules": _each(RULE)})

SCHEMAS: dict[str, Schema] = {
    "ScaledObject": _kind(
        "keda.sh/v1alpha1",
        _only(
            {
                "scaleTargetRef": NAMED,
                "minReplicaCount": _count(1),  # with 0 processes, calls would get no answer
                "maxReplicaCount": _count(2),
                "triggers": _each({"oneOf": [CPU, RABBITMQ]}),
            },
            advanced=_only({"horizontalPodAutoscalerConfig": _only({"behavior": {"type": "object"}})}),
        ),
    ),
    "TriggerAuthentication": _kind(
        "keda.sh/v1alpha1",
        _only({"secretTargetRef": _each(_only({"parameter": TEXT, "name": TEXT, "key": TEXT}))}),
    ),
    "RabbitmqCluster": _kind(
        "rabbitmq.com/v1beta1",
        _only(
            {
                "replicas": {"enum": [3, 5, 7]},  # a majority must be left when one is gone
                "persistence": _only({"storage": TEXT}, storageClassName=TEXT),
                "resources": _only({"requests": ANY, "limits": ANY}),
                "rabbitmq": _only({}, additionalPlugins=_each(TEXT), additionalConfig=TEXT),
            },
            affinity=ANY,
            override=_only({"statefulSet": _only({"spec": {"type": "object"}})}),
        ),
    ),
    "MongoDBCommunity": _kind(
        "mongodbcommunity.mongodb.com/v1",
        _only(
            {
                "type": {"const": "ReplicaSet"},
                "members": {"enum": [3, 5, 7]},
                "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
                "security": _only({"authentication": _only({"modes": _each({"enum": ["SCRAM-SHA-256"]})})}),
                "users": _each(
                    _only(
                        {
                            "name": TEXT,
                            "db": TEXT,
                            "passwordSecretRef": NAMED,
                            "scramCredentialsSecretName": TEXT,
                            "roles": _each(_only({"name": TEXT, "db": TEXT})),
                        },
                        connectionStringSecretName=TEXT,
                    )
                ),
            },
            statefulSet=_only({"spec": {"type": "object"}}),
        ),
    ),
    "PodMonitor": _kind(
        "monitoring.coreos.com/v1",
        _only({"selector": SELECTOR, "podMetricsEndpoints": _each(ENDPOINT)}),
    ),
    "PrometheusRule": _kind("monitoring.coreos.com/v1", _only({"groups": _each(RULES)})),
}
