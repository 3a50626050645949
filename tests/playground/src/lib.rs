//! An OpenID Provider and a Kubernetes API in memory on loopback, which can misbehave.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use playground::{Config, Endpoint, Fault, Playground};
//!
//! let playground = Playground::start(Config::default()).await?;
//! std::fs::write("config", playground.kubeconfig_seed_form(&[]))?;
//! playground.fault(Fault::NoIdToken.at(Endpoint::Refresh).times(1)).await?;
//! println!("{:?}", playground.counters().presented_twice());
//! # Ok(())
//! # }
//! ```
//!
//! - `provider` and `kube` are honest. All misbehaviour is one middleware (`misbehave`, with `forge`
//!   for what it changes in a reply) over one enum ([`Fault`]).
//! - Other processes steer it over the control endpoint: see [`Playground::control_url`].

mod attacker;
mod clock;
mod config;
mod control;
mod fault;
mod forge;
mod journal;
mod kube;
mod kubeconfig;
mod misbehave;
mod playground;
mod provider;
mod random;
mod server;
mod tls;

pub use attacker::{AttackerApi, Sighting};
pub use config::{
    Algorithm, Basic, Client, Config, IssParameter, Kube, Pkce, RefreshTokens, Rotation, Rule,
    Subject, User,
};
pub use fault::{Armed, Connection, Endpoint, Fault, FaultId};
pub use journal::{Counters, Ended, Event, What};
pub use kubeconfig::Seed;
pub use playground::{Addresses, Playground};
pub use random::fingerprint;
