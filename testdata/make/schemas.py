#!/usr/bin/env python3
"""Usage: schemas.py OPENAPI_DIR CRD_DIR > testdata/deploy/schemas.json

Makes the schemas that the manifests of docs/deploy are checked against: which fields there
are, of what type, and which are required. Nothing else is kept of them.

OPENAPI_DIR holds the API server's OpenAPI v3 documents (`oc get --raw /openapi/v3/apis/batch/v1`
and so on, each packed with xz); CRD_DIR the CustomResourceDefinitions of the Go module
github.com/prometheus-operator/prometheus-operator, in example/prometheus-operator-crd.
"""
import json, lzma, pathlib, re, sys
import yaml

KINDS = {
    "v1 Namespace": ("api_v1", "io.k8s.api.core.v1.Namespace"),
    "v1 ServiceAccount": ("api_v1", "io.k8s.api.core.v1.ServiceAccount"),
    "v1 Service": ("api_v1", "io.k8s.api.core.v1.Service"),
    "v1 PersistentVolumeClaim": ("api_v1", "io.k8s.api.core.v1.PersistentVolumeClaim"),
    "v1 ConfigMap": ("api_v1", "io.k8s.api.core.v1.ConfigMap"),
    "apps/v1 Deployment": ("apis_apps_v1", "io.k8s.api.apps.v1.Deployment"),
    "batch/v1 CronJob": ("apis_batch_v1", "io.k8s.api.batch.v1.CronJob"),
    "batch/v1 Job": ("apis_batch_v1", "io.k8s.api.batch.v1.Job"),
    "networking.k8s.io/v1 NetworkPolicy":
        ("apis_networking.k8s.io_v1", "io.k8s.api.networking.v1.NetworkPolicy"),
    "rbac.authorization.k8s.io/v1 Role":
        ("apis_rbac.authorization.k8s.io_v1", "io.k8s.api.rbac.v1.Role"),
    "rbac.authorization.k8s.io/v1 RoleBinding":
        ("apis_rbac.authorization.k8s.io_v1", "io.k8s.api.rbac.v1.RoleBinding"),
    "rbac.authorization.k8s.io/v1 ClusterRole":
        ("apis_rbac.authorization.k8s.io_v1", "io.k8s.api.rbac.v1.ClusterRole"),
    "rbac.authorization.k8s.io/v1 ClusterRoleBinding":
        ("apis_rbac.authorization.k8s.io_v1", "io.k8s.api.rbac.v1.ClusterRoleBinding"),
}
CRDS = {
    "monitoring.coreos.com/v1 ServiceMonitor": "monitoring.coreos.com_servicemonitors.yaml",
    "monitoring.coreos.com/v1 PrometheusRule": "monitoring.coreos.com_prometheusrules.yaml",
}


def short(schema):
    """Type, fields, required ones; a reference is the name of a definition."""
    if "allOf" in schema:
        schema = schema["allOf"][0]
    if "$ref" in schema:
        return {"ref": schema["$ref"].rsplit("/", 1)[-1]}
    kept = {}
    if schema.get("x-kubernetes-int-or-string") or "oneOf" in schema:
        return {"type": "scalar"}
    if "type" in schema:
        kept["type"] = schema["type"]
    if "properties" in schema:
        kept["fields"] = {name: short(one) for name, one in sorted(schema["properties"].items())}
    if schema.get("required"):
        kept["required"] = sorted(schema["required"])
    if "enum" in schema:
        kept["enum"] = schema["enum"]
    if "items" in schema:
        kept["items"] = short(schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        kept["values"] = short(schema["additionalProperties"])
    return kept


def references(schema):
    if isinstance(schema, dict):
        if isinstance(schema.get("ref"), str):
            yield schema["ref"]
        for value in schema.values():
            yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def main():
    openapi, crds = map(pathlib.Path, sys.argv[1:])
    definitions, kinds, waiting = {}, {}, []
    for kind, (document, name) in KINDS.items():
        kinds[kind] = {"ref": name}
        waiting.append((document, name))
    loaded = {}
    while waiting:
        document, name = waiting.pop()
        if name in definitions:
            continue
        if document not in loaded:
            text = lzma.open(openapi / f"{document}.json.xz").read()
            loaded[document] = json.loads(text)["components"]["schemas"]
        definitions[name] = short(loaded[document][name])
        waiting.extend((document, other) for other in references(definitions[name]))
    meta = {"ref": "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
    for kind, file in CRDS.items():
        crd = yaml.safe_load((crds / file).read_text())
        version = next(v for v in crd["spec"]["versions"] if v["name"] == "v1")
        schema = short(version["schema"]["openAPIV3Schema"])
        schema["fields"]["metadata"] = meta
        kinds[kind] = schema
    out = {"kinds": kinds, "definitions": dict(sorted(definitions.items()))}
    json.dump(out, sys.stdout, separators=(",", ":"), sort_keys=True)
    sys.stdout.write("\n")


main()
