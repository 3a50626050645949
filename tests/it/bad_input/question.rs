//! Questions that make no sense: none of them costs what is there.

use anyhow::{Result, ensure};
use serde_json::json;

use super::{Scene, Table, in_shell, refused_by, runtime};

pub(super) fn trial(table: &Table) -> Result<()> {
    runtime()?.block_on(questions(table))
}

async fn questions(table: &Table) -> Result<()> {
    let scene = Scene::signed_in(json!({})).await?;
    let person = &scene.person;
    let before = person.fob(&["status"])?["accounts"][0]["signedIn"].clone();
    ensure!(before.is_i64(), "{before}");
    let issuer = scene.playground.issuer();
    let get = "kubectl-oidc_login get-token";
    let asked = |variable: &str| {
        format!(
            "KUBERNETES_EXEC_INFO='{variable}' {get} --oidc-issuer-url={issuer} --oidc-client-id=kubernetes-client"
        )
    };
    let v3 =
        r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v3","spec":{}}"#;
    for (input, line, code) in [
        (
            "a flag that nobody knows",
            format!("{get} --oidc-isuer-url=x"),
            "unknown-flag-near",
        ),
        (
            "a flag without its value",
            format!("{get} --oidc-issuer-url"),
            "flag-no-value",
        ),
        (
            "a mandatory flag that is missing",
            format!("{get} --oidc-client-id=k"),
            "flag-missing",
        ),
        (
            "a word where flags stand",
            format!("{get} now"),
            "stray-word",
        ),
        (
            "a verb that nobody knows",
            "kubectl fob lgin".to_owned(),
            "unknown-command",
        ),
        (
            "KUBERNETES_EXEC_INFO that is no JSON",
            asked("}{"),
            "exec-info",
        ),
        (
            "KUBERNETES_EXEC_INFO without a version",
            asked("{}"),
            "exec-info",
        ),
        (
            "KUBERNETES_EXEC_INFO of a later version",
            asked(v3),
            "exec-version",
        ),
    ] {
        let said = in_shell(person, &line)?;
        refused_by(&said, code)?;
        table.row(input, &said.err, "the session is as it was");
    }
    scene.works("after questions that make no sense")?;
    let after = &person.fob(&["status"])?["accounts"][0]["signedIn"];
    ensure!(*after == before && scene.sign_ins() == 1, "{after}");
    Ok(())
}
