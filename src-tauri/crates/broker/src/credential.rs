//! client-go's exec credential plugin contract: what it asks in KUBERNETES_EXEC_INFO, and the
//! ExecCredential that it reads.

use serde::{Deserialize, Serialize};

use crate::clock::Wall;
use crate::problem::Problem;
use crate::secret::BearerToken;
use crate::tokens::Tokens;

/// More than an environment variable can hold on Linux (128 KiB), cluster's CA included.
const EXEC_INFO_CAP: usize = 256 * 1024;
const KIND: &str = "ExecCredential";

/// A version of `client.authentication.k8s.io`. client-go takes the answer only in the version
/// that it asked in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExecVersion {
    /// `v1`.
    V1,
    /// `v1beta1`, also when nothing was asked, as kubelogin has it.
    #[default]
    V1beta1,
}

/// What client-go says about its request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecInfo {
    /// The version to answer in.
    pub version: ExecVersion,
    /// The server, where the kubeconfig sets `provideClusterInfo`.
    pub cluster: Option<ExecCluster>,
}

/// The server that the token is for. kubectl fills this in over anything that the kubeconfig's
/// `exec.env` may hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct ExecCluster {
    /// Its URL.
    pub server: String,
    /// The name that its certificate must have, if not the URL's.
    pub tls_server_name: String,
    /// Whether its certificate isn't checked.
    pub insecure_skip_tls_verify: bool,
    /// Its certificate authority: base64 of PEM.
    pub certificate_authority_data: String,
    /// The proxy to it.
    pub proxy_url: String,
}

impl ExecVersion {
    /// As `apiVersion` has it.
    #[must_use]
    pub fn api_version(self) -> &'static str {
        match self {
            Self::V1 => "client.authentication.k8s.io/v1",
            Self::V1beta1 => "client.authentication.k8s.io/v1beta1",
        }
    }
}

/// Reads KUBERNETES_EXEC_INFO; unset and empty are the same.
///
/// # Errors
///
/// [`Code::ExecVersion`] for a version that we do not speak, [`Code::ExecInfo`] for anything that
/// client-go does not write.
pub fn parse_exec_info(variable: Option<&[u8]>) -> Result<ExecInfo, Problem> {
    let Some(variable) = variable.filter(|variable| !variable.is_empty()) else {
        return Ok(ExecInfo::default());
    };
    if variable.len() > EXEC_INFO_CAP {
        return Err(unreadable(format!("> {} KiB", EXEC_INFO_CAP / 1024)));
    }
    // serde's own words quote what they found; the place says enough.
    let asked: Asked = serde_json::from_slice(variable)
        .map_err(|error| unreadable(format!("JSON {}:{}", error.line(), error.column())))?;
    if asked.kind.is_some_and(|kind| kind != KIND) {
        return Err(unreadable("kind".into()));
    }
    let Some(api_version) = asked.api_version else {
        return Err(unreadable("apiVersion".into()));
    };
    let version = [ExecVersion::V1, ExecVersion::V1beta1]
        .into_iter()
        .find(|version| version.api_version() == api_version)
        .ok_or(Problem::ExecVersion {
            version: api_version,
        })?;
    let spec = asked.spec.unwrap_or_default();
    Ok(ExecInfo {
        version,
        cluster: spec.cluster,
    })
}

/// The ExecCredential that client-go reads from standard output.
#[must_use]
pub fn render(version: ExecVersion, token: &BearerToken, stated_expiry: Wall) -> String {
    let credential = Credential {
        kind: KIND,
        api_version: version.api_version(),
        spec: CredentialSpec { interactive: false },
        status: Status {
            expiration_timestamp: stated_expiry.rfc3339(),
            token: token.reveal(),
        },
    };
    // Serialising these plain types can't fail; client-go would refuse an empty answer.
    let mut text = serde_json::to_string(&credential).unwrap_or_default();
    text.push('\n');
    text
}

/// What `kubectl fob token --json` says beside the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFacts {
    /// What people call the account.
    pub account: String,
    /// When the token ends, on this computer's clock.
    pub expires: Wall,
}

/// What `kubectl fob token` prints: the token alone, or JSON with the same fields and times as
/// `kubectl fob status --json` has (milliseconds since the Unix epoch).
#[must_use]
pub fn render_token(token: &BearerToken, facts: Option<&TokenFacts>) -> String {
    #[derive(Serialize)]
    struct Told<'a> {
        token: &'a str,
        expires: Wall,
        account: &'a str,
    }
    let Some(facts) = facts else {
        return format!("{}\n", token.reveal());
    };
    let told = Told {
        token: token.reveal(),
        expires: facts.expires,
        account: &facts.account,
    };
    // Serialising these plain types can't fail.
    let mut text = serde_json::to_string_pretty(&told).unwrap_or_default();
    text.push('\n');
    text
}

/// The expiry that client-go is told. It compares without a margin and asks again for each request
/// once that is past (kubernetes#106768), so it is told of one a little early; but of one to come
/// as long as the token is good, and never of one past the token's own.
#[must_use]
pub fn stated_expiry(tokens: &Tokens, now: Wall) -> Wall {
    let early = tokens.expires.before(tokens.margin()).seconds();
    let next = now.seconds().saturating_add(1);
    Wall::from_seconds(early.max(next).min(tokens.expires.seconds()))
}

fn unreadable(reason: String) -> Problem {
    Problem::ExecInfo { reason }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    api_version: Option<String>,
    kind: Option<String>,
    spec: Option<AskedSpec>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AskedSpec {
    cluster: Option<ExecCluster>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Credential<'a> {
    kind: &'a str,
    api_version: &'a str,
    spec: CredentialSpec,
    status: Status<'a>,
}

#[derive(Serialize)]
struct CredentialSpec {
    interactive: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    expiration_timestamp: String,
    token: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Language;
    use crate::tokens::Identity;

    #[test]
    fn a_token_for_a_person_is_printed_alone_or_with_its_facts() {
        let token = BearerToken::new("a.b.c".into());
        assert_eq!(render_token(&token, None), "a.b.c\n");
        let facts = TokenFacts {
            account: "work".into(),
            expires: Wall(1_700_000_000_123),
        };
        let told = render_token(&token, Some(&facts));
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        assert_eq!(
            told,
            serde_json::json!({
                "token": "a.b.c", "expires": 1_700_000_000_123_i64, "account": "work"
            })
        );
    }

    #[test]
    fn client_go_is_understood() {
        let said = |text: &str| parse_exec_info(Some(text.as_bytes()));
        assert_eq!(parse_exec_info(None), Ok(ExecInfo::default()));
        assert_eq!(said(""), Ok(ExecInfo::default()));
        assert_eq!(
            said(
                r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1",
                    "spec":{"interactive":true},"new":[{}]}"#
            ),
            Ok(ExecInfo::default())
        );
        assert_eq!(
            said(
                r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{
                    "cluster":{"server":"https://a:6443","certificate-authority-data":"QQ==",
                        "insecure-skip-tls-verify":true,"proxy-url":"http://p","tls-server-name":"n",
                        "config":{"x":1},"disable-compression":true},"interactive":false}}"#
            ),
            Ok(ExecInfo {
                version: ExecVersion::V1,
                cluster: Some(ExecCluster {
                    server: "https://a:6443".into(),
                    tls_server_name: "n".into(),
                    insecure_skip_tls_verify: true,
                    certificate_authority_data: "QQ==".into(),
                    proxy_url: "http://p".into(),
                }),
            })
        );
    }

    #[test]
    fn what_client_go_does_not_write_is_refused() {
        let line = |text: &[u8]| {
            parse_exec_info(Some(text))
                .unwrap_err()
                .message(Language::En)
        };
        let long = vec![b' '; EXEC_INFO_CAP + 1];
        let said: Vec<String> = [
            &b"hunter2"[..],
            b"\xff",
            b"[]",
            br#""hunter2""#,
            br#"{"kind":"ExecCredential"}"#,
            br#"{"kind":"Secret","apiVersion":"client.authentication.k8s.io/v1"}"#,
            br#"{"apiVersion":"client.authentication.k8s.io/v1","spec":{"cluster":"hunter2"}}"#,
            br#"{"apiVersion":"client.authentication.k8s.io/v1alpha1"}"#,
            br#"{"apiVersion":"v1"}"#,
            &long,
        ]
        .into_iter()
        .map(line)
        .collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        KUBERNETES_EXEC_INFO can't be read: JSON 1:1.
        KUBERNETES_EXEC_INFO can't be read: JSON 1:1.
        KUBERNETES_EXEC_INFO can't be read: JSON 1:2.
        KUBERNETES_EXEC_INFO can't be read: JSON 1:9.
        KUBERNETES_EXEC_INFO can't be read: apiVersion.
        KUBERNETES_EXEC_INFO can't be read: kind.
        KUBERNETES_EXEC_INFO can't be read: JSON 1:75.
        The kubeconfig asks for ExecCredential client.authentication.k8s.io/v1alpha1, which Kubefob does not speak.
        The kubeconfig asks for ExecCredential v1, which Kubefob does not speak.
        KUBERNETES_EXEC_INFO can't be read: > 256 KiB.
        ");
    }

    #[test]
    fn kubectl_can_read_the_credential() {
        let rendered = [ExecVersion::V1, ExecVersion::V1beta1].map(|version| {
            render(
                version,
                &BearerToken::new("a.b.c".into()),
                Wall(1_743_861_446_999),
            )
        });
        assert!(rendered.iter().all(|text| text.ends_with("}\n")));
        insta::assert_snapshot!(rendered.concat(), @r#"
        {"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false},"status":{"expirationTimestamp":"2025-04-05T13:57:26Z","token":"a.b.c"}}
        {"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","spec":{"interactive":false},"status":{"expirationTimestamp":"2025-04-05T13:57:26Z","token":"a.b.c"}}
        "#);
    }

    #[test]
    fn the_stated_expiry_is_early_but_to_come() {
        // obtained at 0; milliseconds: lifetime, now, stated
        for (lifetime, now, stated) in [
            (3_600_000, 0, 3_570_000),
            (3_600_500, 0, 3_570_000),
            (60_000, 0, 54_000),
            (10_000, 0, 8_000),
            (86_400_000, 1_000_000, 86_370_000),
            // past the margin: the next second, for as long as there is one
            (60_000, 54_900, 55_000),
            (60_000, 58_000, 59_000),
            (60_000, 59_500, 60_000),
            (1_000, 0, 1_000),
            // never past the token's own end
            (60_500, 60_200, 60_000),
            (60_000, 90_000, 60_000),
        ] {
            let tokens = tokens(lifetime);
            assert_eq!(
                stated_expiry(&tokens, Wall(now)),
                Wall(stated),
                "{lifetime} {now}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn a_good_token_is_never_stated_as_expired_nor_as_good_past_its_end(
            lifetime in 5_000_i64..100_000_000, share in 0.0_f64..1.0,
        ) {
            let tokens = tokens(lifetime);
            #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
            let now = Wall((lifetime as f64 * share) as i64);
            let stated = stated_expiry(&tokens, now);
            assert!(stated <= tokens.expires);
            let margin = tokens.margin();
            if tokens.expires.since(now) > margin {
                assert!(stated > now);
            }
        }

        #[test]
        fn no_variable_makes_it_panic(variable: Vec<u8>) {
            let _ = parse_exec_info(Some(&variable));
        }
    }

    fn tokens(lifetime: i64) -> Tokens {
        Tokens {
            bearer: BearerToken::new(String::new()),
            client_secret: None,
            client_authentication: None,
            refresh: None,
            identity: Identity {
                subject: String::new(),
                name: String::new(),
                groups: vec![],
            },
            obtained: Wall(0),
            expires: Wall(lifetime),
            skew_ms: 0,
            refresh_expires: None,
            signed_in: Wall(0),
        }
    }
}
