//! KUBERNETES_EXEC_INFO (`broker::credential`, `kubeconfig::from_exec_info`): what is taken is
//! answered in the version that was asked for, and both readers see the same server.

use broker::clock::Wall;
use broker::credential::{parse_exec_info, render};
use broker::secret::BearerToken;
use kubeconfig::{ExecInfoError, ExecServer, from_exec_info};
use serde_json::Value;

use crate::{Decoded, can_be_told, whole};

pub(crate) fn run(input: &[u8]) -> Decoded {
    let text = String::from_utf8_lossy(input);
    let server = from_exec_info(&text);
    let info = match parse_exec_info(Some(input)) {
        Ok(info) => info,
        Err(problem) => {
            can_be_told(&problem);
            return Decoded::Refused;
        }
    };
    if input.is_empty() {
        return Decoded::Refused;
    }
    if let Some(asked) = whole(input) {
        assert_eq!(asked["apiVersion"], info.version.api_version());
    }

    let answer = render(info.version, &BearerToken::new(text.to_string()), Wall(0));
    let answer: Value = serde_json::from_str(&answer).expect("kubectl reads it");
    assert_eq!(answer["apiVersion"], info.version.api_version());
    assert_eq!(answer["kind"], "ExecCredential");
    assert_eq!(answer["status"]["token"], *text);

    match (info.cluster, server) {
        (None, server) => assert_eq!(server, Ok(ExecServer::Unnamed)),
        (Some(_), Ok(ExecServer::Unnamed)) => panic!("both see a cluster"),
        (Some(cluster), Ok(ExecServer::Odd)) => assert!(!cluster.server.is_empty()),
        (Some(cluster), Ok(ExecServer::Named(server))) => {
            assert!(!cluster.server.is_empty());
            assert!(cluster.server.ends_with(tail(&server.url)), "{server:?}");
            assert!(!has_password(&server.url), "{server:?}");
            assert!(!server.proxy_url.as_deref().is_some_and(has_password));
            assert_eq!(
                server.insecure_skip_tls_verify,
                cluster.insecure_skip_tls_verify
            );
        }
        (Some(cluster), Err(error)) => match error {
            ExecInfoError::NoServer => assert!(cluster.server.is_empty()),
            ExecInfoError::Base64 => assert!(!cluster.certificate_authority_data.is_empty()),
            ExecInfoError::TooLarge | ExecInfoError::Malformed => panic!("{error}"),
        },
    }
    Decoded::Taken
}

/// What stands behind the scheme.
fn tail(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, tail)| tail)
}

/// Whether something stands before the host.
pub(crate) fn has_password(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else {
        return false;
    };
    rest.split(['/', '?', '#'])
        .next()
        .is_some_and(|host| host.contains('@'))
}
