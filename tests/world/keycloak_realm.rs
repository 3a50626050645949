//! The realm that the article's first section sets up, and the two redirect addresses of its 3-2.

use serde_json::{Value, json};

pub(crate) const REALM: &str = "kubefob";
pub(crate) const CLIENT_ID: &str = "kubernetes-client";
pub(crate) const USER: &str = "test";

/// As `--import-realm` takes it.
pub(crate) fn realm(client_secret: &str, password: &str) -> Value {
    json!({
        "realm": REALM,
        "enabled": true,
        "accessTokenLifespan": 300,
        "clients": [{
            "clientId": CLIENT_ID,
            // 1-1: with client authentication.
            "publicClient": false,
            "secret": client_secret,
            "standardFlowEnabled": true,
            // 2-2 gets a token by password.
            "directAccessGrantsEnabled": true,
            "redirectUris": ["http://localhost:8000", "http://localhost:18000"],
            // 1-3: the client's roles as the claim `groups`, the role `admin` as `kubernetes:admin`.
            "protocolMappers": [{
                "name": "groups",
                "protocol": "openid-connect",
                "protocolMapper": "oidc-usermodel-client-role-mapper",
                "config": {
                    "usermodel.clientRoleMapping.clientId": CLIENT_ID,
                    "usermodel.clientRoleMapping.rolePrefix": "kubernetes:",
                    "multivalued": "true",
                    "claim.name": "groups",
                    "jsonType.label": "String",
                    "id.token.claim": "true",
                    "access.token.claim": "true",
                    "userinfo.token.claim": "true"
                }
            }]
        }],
        // 1-2.
        "roles": { "client": { CLIENT_ID: [{ "name": "admin" }] } },
        // 1-5 and 1-6: the role comes with the group.
        "groups": [{ "name": "kubernetes-admins", "clientRoles": { CLIENT_ID: ["admin"] } }],
        // 1-4. With a whole profile, or the first sign-in asks for what is missing.
        "users": [{
            "username": USER,
            "enabled": true,
            "email": "test@kubefob.test",
            "emailVerified": true,
            "firstName": "Te",
            "lastName": "St",
            "groups": ["/kubernetes-admins"],
            "credentials": [{ "type": "password", "value": password, "temporary": false }]
        }]
    })
}
