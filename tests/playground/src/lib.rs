//! An OpenID Provider and a Kubernetes API in memory, which can misbehave.
