//! The discovery document and the JWKS.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::{AUTHORIZE, END_SESSION, JWKS, Provider, REVOKE, TOKEN};
use crate::config::IssParameter;

/// `GET /.well-known/openid-configuration`
pub(super) async fn document(State(provider): State<Arc<Provider>>) -> Json<Value> {
    let methods = json!(["client_secret_basic", "client_secret_post"]);
    let mut document = json!({
        "issuer": provider.issuer,
        "authorization_endpoint": provider.url(AUTHORIZE),
        "token_endpoint": provider.url(TOKEN),
        "jwks_uri": provider.url(JWKS),
        "revocation_endpoint": provider.url(REVOKE),
        "end_session_endpoint": provider.url(END_SESSION),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [provider.config.algorithm],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "scopes_supported": ["openid", "profile", "email", "groups", "offline_access"],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "preferred_username", "groups"],
        "code_challenge_methods_supported": ["S256"],
    });
    if provider.config.iss_parameter == IssParameter::Announced {
        document["authorization_response_iss_parameter_supported"] = json!(true);
    }
    Json(document)
}

/// `GET …/certs`
pub(super) async fn jwks(State(provider): State<Arc<Provider>>) -> Json<Value> {
    Json(provider.keys.jwks())
}
