//! Objects as the table that kubectl prints.

use serde_json::{Value, json};

use super::objects::{Kind, age};

pub(super) fn of(kind: Kind, items: &[Value], now: i64) -> Value {
    let columns: &[&str] = match kind {
        Kind::Namespace => &["Name", "Status", "Age"],
        Kind::Pod => &["Name", "Ready", "Status", "Restarts", "Age"],
        Kind::Node => &["Name", "Status", "Roles", "Age", "Version"],
    };
    let definitions: Vec<_> = columns
        .iter()
        .map(|&name| {
            let format = if name == "Name" { "name" } else { "" };
            json!({ "name": name, "type": "string", "format": format, "description": "", "priority": 0 })
        })
        .collect();
    let rows: Vec<_> = items
        .iter()
        .map(|item| {
            let object = json!({
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": item["metadata"],
            });
            json!({ "cells": cells(kind, item, now), "object": object })
        })
        .collect();
    json!({
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": { "resourceVersion": "1000" },
        "columnDefinitions": definitions,
        "rows": rows,
    })
}

fn cells(kind: Kind, item: &Value, now: i64) -> Value {
    let (name, phase, age) = (
        &item["metadata"]["name"],
        &item["status"]["phase"],
        age(now),
    );
    match kind {
        Kind::Namespace => json!([name, phase, age]),
        Kind::Pod => json!([name, "1/1", phase, "0", age]),
        Kind::Node => {
            let version = &item["status"]["nodeInfo"]["kubeletVersion"];
            json!([name, "Ready", "control-plane", age, version])
        }
    }
}
