//! Renewing tokens (RFC 6749 section 6, OIDC Core section 12).

use broker::problem::Problem;
use broker::secret::BearerToken;
use broker::tokens::Tokens;
use broker::transaction::{RefreshOutcome, RefreshRequest};
use secrecy::ExposeSecret as _;

use crate::Clock;
use crate::address;
use crate::discovery::{self, Metadata};
use crate::http::{Http, Trusted};
use crate::keys::Keys;
use crate::origins::Known;
use crate::token::{self, Accepted, Denied, Granted, Refusal};
use crate::verify::{self, Expected, Flaw};

/// Renews an account's tokens. All that can fail without consequences comes first: a refresh token
/// is only sent to a provider that was just there, and whose keys we have.
pub async fn refresh(request: &RefreshRequest, trusted: &Trusted, clock: &Clock) -> RefreshOutcome {
    let Some(refresh_token) = &request.tokens.refresh else {
        return RefreshOutcome::Ended(Problem::NoRefreshToken);
    };
    let issuer = &request.key.issuer;
    let reached = async {
        let url = address::issuer(issuer)?;
        let http = Http::new(&url, trusted, &request.settings, clock)?;
        let known = Known {
            own: &request.settings.provider_origins,
            others: &[],
        };
        let metadata = discovery::discover(&http, issuer, known).await?;
        let keys = discovery::keys(&http, &metadata).await?;
        Ok((http, metadata, keys))
    };
    let (http, metadata, keys) = match reached.await {
        Ok(reached) => reached,
        Err(problem) => return before_sending(problem),
    };
    let secret = request.settings.client_secret.as_ref();
    let clients = token::clients(&metadata, &[secret], Accepted::with(&request.tokens));
    let grant = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token.expose_secret()),
    ];
    let client_id = &request.key.client_id;
    let answer = token::ask(&http, &metadata.token_endpoint, client_id, &clients, &grant).await;
    match answer {
        Ok(granted) => renewed(request, &http, &metadata, keys, granted).await,
        Err(Denied::NotNow(problem)) => RefreshOutcome::Unreachable(problem),
        Err(Denied::NoReply(reason)) => RefreshOutcome::LostReply(Problem::LostReply { reason }),
        Err(Denied::Refused(refusal)) => refused(&refusal, request),
    }
}

async fn renewed(
    request: &RefreshRequest,
    http: &Http<'_>,
    metadata: &Metadata,
    keys: Keys,
    granted: Granted,
) -> RefreshOutcome {
    let before = &request.tokens;
    // Without a new refresh token the one before goes on (RFC 6749 section 6).
    let kept = Tokens {
        refresh: granted.refresh.or_else(|| before.refresh.clone()),
        refresh_expires: crate::refresh_end(granted.times, granted.refresh_expires_in),
        client_secret: granted.secret,
        client_authentication: granted.authentication,
        ..before.clone()
    };
    let Some(id_token) = granted.id_token else {
        return RefreshOutcome::WithoutIdToken { tokens: kept };
    };
    let expected = Expected {
        issuer: &request.key.issuer,
        client_id: &request.key.client_id,
        nonce: None,
        subject: Some(&before.identity.subject),
    };
    let mut checked = verify::id_token(&id_token, &keys, &expected, granted.times);
    if checked == Err(Flaw::Signature) {
        // The provider may have changed its keys in between. If it is out of reach just now, the
        // new refresh token is kept all the same: the one before it may be used up.
        let Ok(keys) = discovery::keys(http, metadata).await else {
            return RefreshOutcome::WithoutIdToken { tokens: kept };
        };
        checked = verify::id_token(&id_token, &keys, &expected, granted.times);
    }
    match checked {
        Ok(checked) => RefreshOutcome::Refreshed(Tokens {
            bearer: BearerToken::new(id_token),
            identity: checked.identity,
            obtained: granted.times.sent,
            expires: checked.expires,
            skew_ms: checked.skew_ms,
            ..kept
        }),
        Err(flaw) => RefreshOutcome::Blocked(crate::bad_token(&flaw)),
    }
}

/// What a refusal means. The same request went well before, where the tokens were renewed since the sign-in: then it is the
/// session that is over, whatever the provider calls it (some allow one for each person and client).
fn refused(refusal: &Refusal, request: &RefreshRequest) -> RefreshOutcome {
    let Tokens {
        obtained,
        signed_in,
        ..
    } = &request.tokens;
    let went_well = obtained > signed_in;
    if refusal.ends_session() || (went_well && refusal.is_of_request()) {
        return RefreshOutcome::Ended(Problem::SessionEnded {
            reason: refusal.words(),
        });
    }
    RefreshOutcome::Blocked(refusal.problem(&request.key.client_id))
}

/// What was there when the session began can be gone for as long as an ingress needs to restart.
fn before_sending(problem: Problem) -> RefreshOutcome {
    if crate::is_passing(problem.code()) || matches!(problem, Problem::NoDiscovery { .. }) {
        RefreshOutcome::Unreachable(problem)
    } else {
        RefreshOutcome::Blocked(problem)
    }
}
