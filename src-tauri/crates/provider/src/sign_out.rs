//! Ending tokens (RFC 7009) and the provider's own session (OIDC RP-Initiated Logout, on the back
//! channel).

use broker::secret::{ClientSecret, RefreshToken};
use broker::tokens::Tokens;
use broker::transaction::{SignOutOutcome, SignOutRequest, Step};
use secrecy::ExposeSecret as _;

use crate::Clock;
use crate::address;
use crate::discovery::{self, Metadata};
use crate::http::{Http, Trusted};
use crate::origins::Known;
use crate::token::{self, Accepted, Client, Refusal};

/// Ends an account's tokens at the provider and, where asked for, the provider's session.
pub async fn sign_out(
    request: &SignOutRequest,
    trusted: &Trusted,
    clock: &Clock,
) -> SignOutOutcome {
    let refresh = request
        .tokens
        .as_ref()
        .and_then(|tokens| tokens.refresh.as_ref());
    let Some(refresh) = refresh else {
        return both(request, Step::Nothing);
    };
    let known = Known {
        own: &request.settings.provider_origins,
        others: &[],
    };
    let reached = async {
        let url = address::issuer(&request.key.issuer)?;
        let http = Http::new(&url, trusted, &request.settings, clock)?;
        let metadata = discovery::discover(&http, &request.key.issuer, known).await?;
        Ok((http, metadata))
    };
    let (http, metadata) = match reached.await {
        Ok(reached) => reached,
        Err(problem) => return both(request, Step::Failed(problem)),
    };
    let client_id = &request.key.client_id;
    let theirs = request
        .tokens
        .as_ref()
        .and_then(|tokens| tokens.client_secret.as_ref());
    let secret = theirs.or(request.settings.client_secret.as_ref());
    // The session first: its end wants a refresh token that is still good.
    let provider_session = if request.everywhere {
        Some(end_session(&http, &metadata, known, client_id, secret, refresh).await)
    } else {
        None
    };
    let tokens = request.tokens.as_ref();
    let clients = clients(&metadata, tokens, request.settings.client_secret.as_ref());
    let mut revocation = revoke(&http, &metadata, known, client_id, &clients, Some(refresh)).await;
    if provider_session == Some(Step::Done) {
        // What ended with its session can't be ended again, whatever the answer.
        revocation = Step::Done;
    }
    SignOutOutcome {
        revocation,
        provider_session,
    }
}

/// Who may end tokens: the client that they were given to, or else the one that we know now.
pub(crate) fn clients(
    metadata: &Metadata,
    tokens: Option<&Tokens>,
    known: Option<&ClientSecret>,
) -> Vec<Client> {
    let theirs = tokens.and_then(|tokens| tokens.client_secret.as_ref());
    let accepted = tokens.and_then(Accepted::with);
    token::clients(metadata, &[theirs.or(known)], accepted)
}

/// RFC 7009. It ends what was granted with the token, access tokens too.
pub(crate) async fn revoke(
    http: &Http<'_>,
    metadata: &Metadata,
    known: Known<'_>,
    client_id: &str,
    clients: &[Client],
    refresh: Option<&RefreshToken>,
) -> Step {
    let Some(refresh) = refresh else {
        return Step::Nothing;
    };
    let Some(endpoint) = &metadata.revocation_endpoint else {
        return Step::NotOffered;
    };
    if let Err(problem) = known.ends_tokens(metadata, endpoint) {
        return Step::Failed(problem);
    }
    let form = [
        ("token", refresh.expose_secret()),
        ("token_type_hint", "refresh_token"),
    ];
    let mut refused = Step::NotOffered;
    for client in clients {
        let reply = match token::post(http, endpoint, client_id, client, &form).await {
            Ok(reply) => reply,
            Err(fault) => return Step::Failed(http.unreachable(fault)),
        };
        if (200..300).contains(&reply.status) {
            return Step::Done;
        }
        if let Some(problem) = http.fault_of_its_own(reply.status) {
            return Step::Failed(problem);
        }
        let refusal = Refusal::read(&reply);
        if refusal.error == "unsupported_token_type" {
            return Step::NotOffered;
        }
        refused = Step::Failed(refusal.problem(client_id));
        if !refusal.is_of_client() {
            break;
        }
    }
    refused
}

/// Keycloak ends a session for whoever shows its refresh token, and says 204. A page (200) or a
/// redirect means that this provider wants a person's browser instead.
async fn end_session(
    http: &Http<'_>,
    metadata: &Metadata,
    known: Known<'_>,
    client_id: &str,
    secret: Option<&ClientSecret>,
    refresh: &RefreshToken,
) -> Step {
    let Some(endpoint) = &metadata.end_session_endpoint else {
        return Step::NotOffered;
    };
    if let Err(problem) = known.ends_tokens(metadata, endpoint) {
        return Step::Failed(problem);
    }
    let client = secret
        .filter(|secret| !secret.expose_secret().is_empty())
        .map_or(Client::Public, |secret| Client::Post(secret.clone()));
    let form = [("refresh_token", refresh.expose_secret())];
    match token::post(http, endpoint, client_id, &client, &form).await {
        Err(fault) => Step::Failed(http.unreachable(fault)),
        Ok(reply) => match (reply.status, http.fault_of_its_own(reply.status)) {
            (204, _) => Step::Done,
            (_, Some(problem)) => Step::Failed(problem),
            (400 | 401 | 403, None) => {
                let refusal = Refusal::read(&reply);
                if refusal.error.is_empty() {
                    Step::NotOffered
                } else {
                    Step::Failed(refusal.problem(client_id))
                }
            }
            (_, None) => Step::NotOffered,
        },
    }
}

fn both(request: &SignOutRequest, step: Step) -> SignOutOutcome {
    let provider_session = request.everywhere.then(|| step.clone());
    SignOutOutcome {
        revocation: step,
        provider_session,
    }
}
