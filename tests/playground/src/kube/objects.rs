//! The few objects that the cluster has.

use serde_json::{Value, json};

use super::request::Resource;
use crate::random::fingerprint;

/// When the cluster was made: 20 February 2025, as the article's.
const BORN: i64 = 1_740_068_208;

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Namespace,
    Pod,
    Node,
}

impl Kind {
    pub(super) fn of(resource: &Resource) -> Option<Self> {
        match (resource.group.as_str(), resource.resource.as_str()) {
            ("", "namespaces") => Some(Self::Namespace),
            ("", "pods") => Some(Self::Pod),
            ("", "nodes") => Some(Self::Node),
            _ => None,
        }
    }

    /// All of this kind; a namespace narrows pods alone.
    pub(super) fn items(self, namespace: Option<&str>) -> Vec<Value> {
        match self {
            Self::Namespace => ["default", "kube-node-lease", "kube-public", "kube-system"]
                .map(a_namespace)
                .into(),
            Self::Node => vec![a_node("playground")],
            Self::Pod => [
                ("default", "web-6d4cf56db6-8v2kq", "nginx:1.29"),
                ("default", "web-6d4cf56db6-xnq7d", "nginx:1.29"),
                ("default", "worker-0", "busybox:1.37"),
                (
                    "kube-system",
                    "coredns-668d6bf9bc-tq2hz",
                    "coredns/coredns:1.13",
                ),
                ("kube-system", "etcd-playground", "etcd:3.6.8"),
            ]
            .into_iter()
            .filter(|(its, ..)| namespace.is_none_or(|namespace| namespace == *its))
            .map(|(namespace, name, image)| a_pod(namespace, name, image))
            .collect(),
        }
    }

    pub(super) fn list(self, items: Vec<Value>) -> Value {
        let kind = match self {
            Self::Namespace => "NamespaceList",
            Self::Pod => "PodList",
            Self::Node => "NodeList",
        };
        json!({
            "kind": kind,
            "apiVersion": "v1",
            "metadata": { "resourceVersion": "1000" },
            "items": items,
        })
    }
}

/// RFC 3339, in UTC.
pub(super) fn time(seconds: i64) -> String {
    let (year, month, day) = crate::clock::date(seconds.div_euclid(86_400));
    let rest = seconds.rem_euclid(86_400);
    format!(
        "{year}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

/// How long ago the cluster's objects were made, as kubectl shows it.
pub(super) fn age(now: i64) -> String {
    let days = (now - BORN) / 86_400;
    if days < 730 {
        format!("{days}d")
    } else {
        format!("{}y{}d", days / 365, days % 365)
    }
}

fn a_namespace(name: &str) -> Value {
    json!({
        "kind": "Namespace",
        "apiVersion": "v1",
        "metadata": metadata(name, None, &json!({ "kubernetes.io/metadata.name": name })),
        "spec": { "finalizers": ["kubernetes"] },
        "status": { "phase": "Active" },
    })
}

fn a_pod(namespace: &str, name: &str, image: &str) -> Value {
    let app = name.split('-').next().unwrap_or(name);
    json!({
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": metadata(name, Some(namespace), &json!({ "app": app })),
        "spec": { "containers": [{ "name": app, "image": image }], "nodeName": "playground" },
        "status": {
            "phase": "Running",
            "containerStatuses": [
                { "name": app, "image": image, "ready": true, "restartCount": 0 },
            ],
        },
    })
}

fn a_node(name: &str) -> Value {
    json!({
        "kind": "Node",
        "apiVersion": "v1",
        "metadata": metadata(name, None, &json!({ "kubernetes.io/hostname": name })),
        "spec": {},
        "status": {
            "conditions": [{ "type": "Ready", "status": "True" }],
            "nodeInfo": { "kubeletVersion": "v1.36.3" },
        },
    })
}

fn metadata(name: &str, namespace: Option<&str>, labels: &Value) -> Value {
    let hex = fingerprint(&format!("{namespace:?}/{name}"));
    let uid = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-");
    let mut metadata = json!({ "name": name });
    if let Some(namespace) = namespace {
        metadata["namespace"] = json!(namespace);
    }
    metadata["uid"] = json!(uid);
    metadata["resourceVersion"] = json!("36");
    metadata["creationTimestamp"] = json!(time(BORN));
    metadata["labels"] = labels.clone();
    metadata
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clusters_birthday() {
        assert_eq!(time(BORN), "2025-02-20T16:16:48Z");
        assert_eq!(age(BORN + 3 * 86_400), "3d");
    }

    #[test]
    fn pods_of_a_namespace() {
        assert_eq!(Kind::Pod.items(Some("default")).len(), 3);
        assert_eq!(Kind::Pod.items(Some("kube-public")).len(), 0);
        assert_eq!(Kind::Pod.items(None).len(), 5);
    }
}
