//! Everything said to an OpenID Connect provider.
