//! The token endpoint (RFC 6749 sections 4.1.3, 5 and 6): what is sent, as whom, and what the
//! answers mean.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use broker::problem::Problem;
use broker::secret::{ClientSecret, RefreshToken};
use broker::tokens::{ClientAuthentication, Tokens};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::Value;
use url::Url;
use url::form_urlencoded::byte_serialize;

use crate::discovery::Metadata;
use crate::http::{Fault, Http, Reply, Times};
use crate::json::where_not_what;

/// A way to say which client we are (RFC 6749 section 2.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// Without a secret.
    Public,
    /// The secret in the Authorization header.
    Basic(ClientSecret),
    /// The secret in the form.
    Post(ClientSecret),
}

/// What the token endpoint granted, unchecked.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) id_token: Option<String>,
    pub(crate) refresh: Option<RefreshToken>,
    /// In seconds; none: it does not say, or never.
    pub(crate) refresh_expires_in: Option<u64>,
    pub(crate) times: Times,
    /// The secret that the provider accepted.
    pub(crate) secret: Option<ClientSecret>,
    /// How it was sent.
    pub(crate) authentication: Option<ClientAuthentication>,
}

/// What the provider accepted before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Accepted<'tokens> {
    secret: &'tokens ClientSecret,
    by: ClientAuthentication,
}

/// Why the token endpoint granted nothing.
#[derive(Debug)]
pub(crate) enum Denied {
    /// No request was sent, or the provider said that it can't now: nothing was used up.
    NotNow(Problem),
    /// The request was sent, and no answer came that could be read, and why.
    NoReply(String),
    /// The provider said no.
    Refused(Refusal),
}

/// The provider's no (RFC 6749 section 5.2), as far as it gave reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// Its error code; empty where the reply had none.
    pub(crate) error: String,
    pub(crate) description: String,
}

/// The clients that are worth trying, the likeliest first.
pub(crate) fn clients(
    metadata: &Metadata,
    secrets: &[Option<&ClientSecret>],
    accepted: Option<Accepted<'_>>,
) -> Vec<Client> {
    let mut clients: Vec<Client> = Vec::new();
    for (index, secret) in secrets.iter().enumerate() {
        if secrets
            .get(..index)
            .is_some_and(|before| before.contains(secret))
        {
            continue;
        }
        match secret.filter(|secret| !secret.expose_secret().is_empty()) {
            None if index == 0 => clients.push(Client::Public),
            None => {}
            Some(secret) => {
                let ways = ways(metadata, secret, accepted).into_iter();
                clients.extend(ways.map(|way| match way {
                    ClientAuthentication::Basic => Client::Basic(secret.clone()),
                    ClientAuthentication::Post => Client::Post(secret.clone()),
                }));
            }
        }
    }
    clients
}

/// The ways to send a secret: those that the provider announces, or both where it does not say, as kubelogin's library
/// has it. Many providers register one way for each client, and some compare the header without undoing its
/// form-encoding, so the first can fail where the second works.
///
/// What was accepted with this very secret is the way: where it fails, the secret is another by now, and one request
/// shows that. With a new secret it comes first.
fn ways(
    metadata: &Metadata,
    secret: &ClientSecret,
    accepted: Option<Accepted<'_>>,
) -> Vec<ClientAuthentication> {
    use ClientAuthentication::{Basic, Post};
    let offered = metadata.client_authentication.as_deref();
    let offers = |way: ClientAuthentication| {
        offered.is_none_or(|methods| {
            methods.is_empty() || methods.iter().any(|method| method == way.name())
        })
    };
    let mut ways = match (offers(Basic), offers(Post)) {
        (_, false) => vec![Basic],
        (false, true) => vec![Post],
        (true, true) => vec![Basic, Post],
    };
    if let Some(accepted) = accepted.filter(|accepted| ways.contains(&accepted.by)) {
        if accepted.secret == secret {
            return vec![accepted.by];
        }
        ways.sort_by_key(|way| *way != accepted.by);
    }
    ways
}

/// Asks for tokens, as the first of `clients` that the provider knows.
pub(crate) async fn ask(
    http: &Http<'_>,
    endpoint: &Url,
    client_id: &str,
    clients: &[Client],
    grant: &[(&str, &str)],
) -> Result<Granted, Denied> {
    let mut refused: Option<(Refusal, &Client)> = None;
    for client in clients {
        if let Some((refusal, before)) = &refused
            && !refusal.lets_try(before, client)
        {
            continue;
        }
        let answer = post(http, endpoint, client_id, client, grant).await;
        match answer
            .map_err(without_reply)
            .and_then(|reply| read(http, &reply))
        {
            Err(Denied::Refused(refusal)) if refusal.is_of_client() => {
                refused = Some((refusal, client));
            }
            Ok(granted) => {
                return Ok(Granted {
                    secret: client.secret().cloned(),
                    authentication: client.authentication(),
                    ..granted
                });
            }
            Err(denied) => return Err(denied),
        }
    }
    Err(Denied::Refused(
        refused.map_or_else(Refusal::nothing, |(refusal, _)| refusal),
    ))
}

/// Posts a form as a client.
pub(crate) async fn post(
    http: &Http<'_>,
    endpoint: &Url,
    client_id: &str,
    client: &Client,
    grant: &[(&str, &str)],
) -> Result<Reply, Fault> {
    let mut form = grant.to_vec();
    let authorization = match client {
        Client::Public => {
            form.push(("client_id", client_id));
            None
        }
        Client::Post(secret) => {
            form.push(("client_id", client_id));
            form.push(("client_secret", secret.expose_secret()));
            None
        }
        Client::Basic(secret) => Some(basic(client_id, secret.expose_secret())),
    };
    http.post(endpoint, authorization.as_deref(), &form).await
}

impl Client {
    pub(crate) fn secret(&self) -> Option<&ClientSecret> {
        match self {
            Self::Public => None,
            Self::Basic(secret) | Self::Post(secret) => Some(secret),
        }
    }

    fn authentication(&self) -> Option<ClientAuthentication> {
        match self {
            Self::Public => None,
            Self::Basic(_) => Some(ClientAuthentication::Basic),
            Self::Post(_) => Some(ClientAuthentication::Post),
        }
    }
}

impl<'tokens> Accepted<'tokens> {
    /// By what these tokens came.
    pub(crate) fn with(tokens: &'tokens Tokens) -> Option<Self> {
        Some(Self {
            secret: tokens.client_secret.as_ref()?,
            by: tokens.client_authentication?,
        })
    }
}

impl Refusal {
    fn nothing() -> Self {
        Self {
            status: 0,
            error: String::new(),
            description: String::new(),
        }
    }

    /// Reads a reply that is not a grant.
    pub(crate) fn read(reply: &Reply) -> Self {
        #[derive(Deserialize)]
        struct Body {
            error: Option<String>,
            error_description: Option<String>,
        }
        let body = serde_json::from_slice::<Body>(&reply.body).ok();
        let (error, description) = body
            .map(|body| (body.error, body.error_description))
            .unwrap_or_default();
        Self {
            status: reply.status,
            error: short(error.unwrap_or_default()),
            description: short(description.unwrap_or_default()),
        }
    }

    /// Whether it is about who we are, and not about what we ask.
    pub(crate) fn is_of_client(&self) -> bool {
        matches!(
            self.error.as_str(),
            "invalid_client" | "unauthorized_client"
        ) || (self.status == 401 && self.error.is_empty())
    }

    /// Whether another client may be tried with the same grant. The same secret in another way only where authentication failed: a
    /// provider authenticates the client before it looks at the grant (RFC 6749, sections 3.2.1 and 5.2), and has not
    /// acted on what it answers with 401 (RFC 9110, section 15.5.2). So neither code nor refresh token is used up, and
    /// no refresh token counts as presented twice.
    pub(crate) fn lets_try(&self, before: &Client, next: &Client) -> bool {
        let of_authentication = self.error == "invalid_client" || self.status == 401;
        self.is_of_client() && (of_authentication || before.secret() != next.secret())
    }

    /// Whether it ends the session that the refresh token belonged to. Some providers give no
    /// reason at all.
    pub(crate) fn ends_session(&self) -> bool {
        match self.error.as_str() {
            "invalid_grant" | "interaction_required" | "login_required" | "consent_required" => {
                true
            }
            "" => matches!(self.status, 400 | 403),
            _ => false,
        }
    }

    /// Whether it is the provider's word on what we ask (RFC 6749, section 5.2), and not on who we are nor a gateway's.
    pub(crate) fn is_of_request(&self) -> bool {
        !self.error.is_empty() && !self.is_of_client()
    }

    /// Its own words.
    pub(crate) fn words(&self) -> String {
        match (self.error.as_str(), self.description.as_str()) {
            ("", _) => format!("HTTP {}", self.status),
            (error, "") => error.to_owned(),
            (_, description) => description.to_owned(),
        }
    }

    /// The problem that it is, where nothing more special is known.
    pub(crate) fn problem(&self, client_id: &str) -> Problem {
        let error = if self.error.is_empty() {
            format!("HTTP {}", self.status)
        } else {
            self.error.clone()
        };
        if self.is_of_client() {
            return Problem::ClientRefused {
                client: client_id.to_owned(),
                error,
            };
        }
        let description = description(&self.description);
        Problem::RequestRefused { error, description }
    }
}

/// A refusal's description, where there is one.
pub(crate) fn description(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Where no reply came.
fn without_reply(fault: Fault) -> Denied {
    match fault {
        Fault::NotSent(problem) => Denied::NotNow(problem),
        Fault::NoReply { reason } => Denied::NoReply(reason.to_owned()),
    }
}

fn read(http: &Http<'_>, reply: &Reply) -> Result<Granted, Denied> {
    match reply.status {
        200 => granted(&reply.body, reply.times).map_err(Denied::NoReply),
        // A gateway's word: what is behind it may have acted.
        502 | 504 => {
            let reason = format!("HTTP {}", reply.status);
            Err(Denied::NoReply(reason))
        }
        status => {
            let refusal = Refusal::read(reply);
            let passing = matches!(
                refusal.error.as_str(),
                "temporarily_unavailable" | "server_error"
            );
            match http.fault_of_its_own(if passing { 503 } else { status }) {
                Some(problem) => Err(Denied::NotNow(problem)),
                None => Err(Denied::Refused(refusal)),
            }
        }
    }
}

pub(crate) fn granted(body: &[u8], times: Times) -> Result<Granted, String> {
    #[derive(Deserialize)]
    struct Body {
        id_token: Option<String>,
        access_token: Option<Value>,
        refresh_token: Option<String>,
        refresh_expires_in: Option<Value>,
    }
    let body: Body = serde_json::from_slice(body).map_err(|error| where_not_what(&error))?;
    if body.id_token.is_none() && body.access_token.is_none() {
        return Err("there are no tokens in it".into());
    }
    Ok(Granted {
        id_token: body.id_token.filter(|token| !token.is_empty()),
        refresh: body
            .refresh_token
            .filter(|token| !token.is_empty())
            .map(RefreshToken::new),
        refresh_expires_in: body
            .refresh_expires_in
            .and_then(|seconds| match seconds {
                Value::String(text) => text.parse().ok(),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Array(_)
                | Value::Object(_) => seconds.as_u64(),
            })
            .filter(|seconds| *seconds > 0),
        times,
        secret: None,
        authentication: None,
    })
}

/// RFC 6749 section 2.3.1: each half is form-encoded first.
fn basic(client_id: &str, secret: &str) -> String {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    format!(
        "Basic {}",
        STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(secret)))
    )
}

fn short(text: String) -> String {
    if text.chars().count() <= 300 {
        text
    } else {
        text.chars().take(300).collect()
    }
}

#[cfg(test)]
mod tests {
    use broker::texts::Language;

    use super::*;

    fn announcing(methods: Option<&[&str]>) -> Metadata {
        const ISSUER: &str = "https://sso.example.com";
        let document = serde_json::json!({
            "issuer": ISSUER,
            "authorization_endpoint": format!("{ISSUER}/auth"),
            "token_endpoint": format!("{ISSUER}/token"),
            "jwks_uri": format!("{ISSUER}/certs"),
            "token_endpoint_auth_methods_supported": methods,
        });
        crate::discovery::parse(document.to_string().as_bytes(), ISSUER).unwrap()
    }

    #[test]
    fn the_announced_ways_are_tried_and_what_was_accepted_is_the_way() {
        use ClientAuthentication::{Basic, Post};
        let secret = ClientSecret::new("a+b".into());
        let other = ClientSecret::new("c".into());
        let basic = "client_secret_basic";
        let post = "client_secret_post";
        let both = &[Basic, Post][..];
        for (announced, accepted, expected) in [
            (None, None, both),
            (Some(&[][..]), None, both),
            (Some(&[post, basic][..]), None, both),
            (Some(&[basic][..]), None, &[Basic][..]),
            (Some(&[post][..]), None, &[Post]),
            (Some(&["private_key_jwt"][..]), None, &[Basic]),
            (Some(&[basic, post][..]), Some((&secret, Post)), &[Post]),
            (Some(&[basic, post][..]), Some((&secret, Basic)), &[Basic]),
            (None, Some((&secret, Post)), &[Post]),
            // Another secret than the one that worked.
            (None, Some((&other, Post)), &[Post, Basic]),
            (None, Some((&other, Basic)), both),
            // It announces that no longer.
            (Some(&[basic][..]), Some((&secret, Post)), &[Basic]),
        ] {
            let accepted = accepted.map(|(secret, by)| Accepted { secret, by });
            let found = clients(&announcing(announced), &[Some(&secret)], accepted);
            let ways: Vec<_> = found.iter().filter_map(Client::authentication).collect();
            assert_eq!(ways, expected, "{announced:?} {accepted:?}");
            assert!(found.iter().all(|client| client.secret() == Some(&secret)));
        }
    }

    #[test]
    fn the_same_secret_goes_another_way_only_where_the_grant_was_not_looked_at() {
        let secret = |text: &str| ClientSecret::new(text.into());
        let basic = Client::Basic(secret("a"));
        for (status, error, same, other) in [
            (401, "invalid_client", true, true),
            (400, "invalid_client", true, true),
            (401, "unauthorized_client", true, true),
            (401, "", true, true),
            // Known, and not allowed to do that.
            (400, "unauthorized_client", false, true),
            (400, "invalid_grant", false, false),
            (401, "invalid_grant", false, false),
            (400, "", false, false),
        ] {
            let refusal = Refusal {
                status,
                error: error.into(),
                description: String::new(),
            };
            let tries = |next| refusal.lets_try(&basic, &next);
            let named = format!("{status} {error}");
            assert_eq!(tries(Client::Post(secret("a"))), same, "{named}");
            assert_eq!(tries(Client::Basic(secret("b"))), other, "{named}");
        }
    }

    #[test]
    fn a_refusal_reads_well_with_and_without_a_description() {
        for (description, expected) in [
            ("", "The provider refuses the request: HTTP 307."),
            ("no", "The provider refuses the request: HTTP 307 no."),
        ] {
            let problem = Problem::RequestRefused {
                error: "HTTP 307".into(),
                description: super::description(description),
            };
            assert_eq!(problem.message(Language::En), expected);
        }
    }
}
