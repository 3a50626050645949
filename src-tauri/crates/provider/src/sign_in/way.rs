//! The steps of a sign-in that speak with the provider.

use broker::account::Pkce;
use broker::problem::Problem;
use broker::secret::BearerToken;
use broker::tokens::Tokens;
use broker::transaction::{Prompting, SignInRequest};
use openidconnect::core::CoreClient;
use openidconnect::{AuthUrl, ClientId, IssuerUrl, JsonWebKeySet, RedirectUrl, Scope};

use crate::callback::{self, Callback, Foreign};
use crate::desk::{Authorization, foreign_callback};
use crate::discovery::{self, Metadata};
use crate::http::{Http, Trusted};
use crate::origins::{self, Known};
use crate::pages::{self, Page};
use crate::tickets::Begun;
use crate::token::{self, Denied};
use crate::verify::{self, Expected, Flaw};
use crate::{Clock, address, sign_out};

/// What the steps have in common.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) request: &'a SignInRequest,
    pub(super) trusted: &'a Trusted,
    pub(super) clock: &'a Clock,
}

impl<'a> Way<'a> {
    pub(super) async fn discovered(
        self,
        known: Option<Metadata>,
    ) -> Result<(Http<'a>, Metadata), Problem> {
        let issuer = &self.request.key.issuer;
        let url = address::issuer(issuer)?;
        let http = Http::new(&url, self.trusted, &self.request.settings, self.clock)?;
        let metadata = match known {
            Some(metadata) => metadata,
            None => discovery::discover(&http, issuer, self.known()).await?,
        };
        Ok((http, metadata))
    }

    fn known(self) -> Known<'a> {
        Known {
            own: &self.request.settings.provider_origins,
            others: &self.request.other_issuers,
        }
    }

    pub(super) fn authorization(
        self,
        metadata: &Metadata,
        redirect_uri: &str,
    ) -> Result<Authorization, Problem> {
        let issuer = IssuerUrl::new(metadata.issuer.clone());
        let redirect = RedirectUrl::new(redirect_uri.to_owned());
        let (Ok(issuer), Ok(redirect)) = (issuer, redirect) else {
            // Both were read as addresses before.
            let reason = "an address that is none".to_owned();
            return Err(Problem::Internal { reason });
        };
        let client_id = ClientId::new(self.request.key.client_id.clone());
        // Keys are fetched when there is a token to verify. `openid` is among our scopes, which
        // kubelogin sends last.
        let client = CoreClient::new(client_id, issuer, JsonWebKeySet::new(Vec::new()))
            .set_auth_uri(AuthUrl::from_url(metadata.authorization_endpoint.clone()))
            .set_redirect_uri(redirect)
            .disable_openid_scope();
        let scopes = self.request.key.scopes_sent();
        Ok(Authorization {
            client,
            scopes: scopes.into_iter().map(Scope::new).collect(),
            pkce: pkce(self.request.settings.pkce, metadata.pkce_methods.as_deref())?,
            silent: match self.request.prompt {
                Prompting::Allowed => false,
                Prompting::Silent => true,
            },
            // Whoever has signed in there before has seen it then. A provider may have moved it since.
            elsewhere: origins::elsewhere(metadata)
                .filter(|place| self.request.signed_in_at.as_ref() != Some(place)),
        })
    }

    /// The code of a callback that has the right state and cookie.
    fn believed(self, metadata: &Metadata, callback: Callback) -> Result<String, Problem> {
        if !callback.is_from(&metadata.issuer, metadata.redirect_names_issuer) {
            return Err(match callback.issuer {
                Some(found) => Problem::WrongIssuer {
                    expected: metadata.issuer.clone(),
                    found,
                },
                None => foreign_callback(Foreign::Issuer),
            });
        }
        match callback.answer {
            callback::Answer::Code(code) => Ok(code),
            callback::Answer::Error { error, description } => Err(self.refusal(error, description)),
        }
    }

    /// RFC 6749 section 4.1.2.1 and OIDC Core section 3.1.2.6.
    fn refusal(self, error: String, description: String) -> Problem {
        match error.as_str() {
            "unauthorized_client" | "invalid_client" => {
                let client = self.request.key.client_id.clone();
                Problem::ClientRefused { client, error }
            }
            "server_error" | "temporarily_unavailable" => {
                let host = self.request.key.host();
                Problem::ProviderFault {
                    host,
                    answer: error,
                }
            }
            "invalid_request" | "invalid_scope" | "unsupported_response_type" => {
                let description = token::description(&description);
                Problem::RequestRefused { error, description }
            }
            _ => {
                let description = token::description(&description);
                Problem::SignInRefused { error, description }
            }
        }
    }

    pub(super) async fn exchange(
        self,
        http: &Http<'_>,
        metadata: &Metadata,
        authorization: &Authorization,
        begun: &Begun,
        callback: Callback,
    ) -> Result<Tokens, Problem> {
        let code = self.believed(metadata, callback)?;
        let request = self.request;
        let client_id = &request.key.client_id;
        let mut grant = vec![
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
        ];
        let redirect = authorization.client.redirect_uri();
        if let Some(redirect) = redirect {
            grant.push(("redirect_uri", redirect.as_str()));
        }
        let verifier = begun.verifier();
        if authorization.pkce {
            grant.push(("code_verifier", verifier.secret()));
        }
        let secrets = [
            request.settings.client_secret.as_ref(),
            request.known_secret.as_ref(),
        ];
        let secrets = if secrets[1].is_some() {
            &secrets[..]
        } else {
            &secrets[..1]
        };
        let clients = token::clients(metadata, secrets, None);
        let granted = token::ask(http, &metadata.token_endpoint, client_id, &clients, &grant)
            .await
            .map_err(|denied| match denied {
                Denied::NotNow(problem) => problem,
                // Nothing but a code was lost: no word of trying again by itself.
                Denied::NoReply(reason) => http.unreached(reason),
                // The code came too late, or was nobody's: another try by a person mends it.
                Denied::Refused(refusal) if refusal.error == "invalid_grant" => {
                    self.refusal(refusal.error, refusal.description)
                }
                Denied::Refused(refusal) => refusal.problem(client_id),
            })?;
        let Some(id_token) = granted.id_token else {
            return Err(Problem::NoIdToken {
                host: http.host().to_owned(),
            });
        };
        let expected = Expected {
            issuer: &request.key.issuer,
            client_id,
            nonce: Some(begun.nonce.secret()),
            subject: None,
        };
        let check = async || -> Result<_, Problem> {
            let keys = discovery::keys(http, metadata).await?;
            Ok(verify::id_token(&id_token, &keys, &expected, granted.times))
        };
        let mut checked = check().await?;
        if checked == Err(Flaw::Signature) {
            checked = check().await?;
        }
        let checked = checked.map_err(|flaw| crate::bad_token(&flaw))?;
        Ok(Tokens {
            bearer: BearerToken::new(id_token.clone()),
            refresh: granted.refresh,
            identity: checked.identity,
            obtained: granted.times.sent,
            expires: checked.expires,
            skew_ms: checked.skew_ms,
            refresh_expires: crate::refresh_end(granted.times, granted.refresh_expires_in),
            signed_in: granted.times.came,
            client_secret: granted.secret,
            client_authentication: granted.authentication,
        })
    }

    /// Whoever was signed in before must be who is now: a different person is not put in his
    /// place behind his back.
    pub(super) async fn same_person(
        self,
        tokens: Tokens,
        http: &Http<'_>,
        metadata: &Metadata,
    ) -> Result<Tokens, Problem> {
        let now = &tokens.identity;
        let before = self.request.expected_subject.as_ref();
        let Some(before) = before.filter(|before| **before != now.subject) else {
            return Ok(tokens);
        };
        let (before, now) = (before.clone(), now.name.clone());
        self.drop_tokens(Ok(tokens), http, metadata).await;
        Err(Problem::OtherPerson { before, now })
    }

    /// Ends tokens that nobody will use, if there are any.
    pub(super) async fn drop_tokens(
        self,
        tokens: Result<Tokens, Problem>,
        http: &Http<'_>,
        metadata: &Metadata,
    ) {
        let Ok(tokens) = tokens else { return };
        let client_id = &self.request.key.client_id;
        let clients = sign_out::clients(metadata, Some(&tokens), None);
        let refresh = tokens.refresh.as_ref();
        sign_out::revoke(http, metadata, self.known(), client_id, &clients, refresh).await;
    }

    pub(super) fn page(self, ended: &Result<(Tokens, Option<Problem>), Problem>) -> Page {
        let language = self.request.language;
        let asker = self
            .request
            .question
            .as_ref()
            .map(|question| question.asker.as_str());
        match ended {
            Ok((tokens, remark)) => pages::done(language, tokens, asker, remark.as_ref()),
            Err(Problem::TrustRefused { .. }) => {
                pages::not_allowed(language, asker.unwrap_or_default())
            }
            Err(problem) => {
                let refusal = problem.clone().of(self.request.about.clone());
                pages::failed(language, &refusal, true)
            }
        }
    }
}

/// Whether PKCE is used.
fn pkce(wanted: Pkce, offered: Option<&[String]>) -> Result<bool, Problem> {
    let offers = offered.is_some_and(|methods| methods.iter().any(|method| method == "S256"));
    match wanted {
        Pkce::S256 => Ok(true),
        Pkce::Auto => Ok(offers || offered.is_none()),
        Pkce::No if offers => Err(Problem::PkceNeeded),
        Pkce::No => Ok(false),
    }
}
