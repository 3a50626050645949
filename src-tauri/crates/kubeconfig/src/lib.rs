//! Kubeconfigs, loaded and merged as kubectl does, and which API servers a command can have been run for.
//!
//! Pure: files, environment and arguments come in as values. What kubectl does stands in client-go and in the libraries
//! below it, as of v0.36.3; each rule here names its file there.

mod address;
mod alike;
mod base64;
mod config;
mod edit;
mod error;
mod flags;
mod kuberc;
mod load;
mod merge;
mod named;
mod narrow;
mod origin;
mod pflag;
mod program;
mod scalar;
mod server;
mod told;
mod tree;
mod unread;
mod widest;

pub use config::{Cluster, Config, Context, EnvVar, Exec, User};
pub use edit::set_current_context;
pub use error::{EditError, LoadError, Type};
pub use kuberc::{kuberc, kuberc_chooses_server};
pub use load::load;
pub use merge::{FileSet, Merged, merge, paths};
pub use named::{Asker, Meant, Named, named};
pub use narrow::{Narrow, Reading, narrow};
pub use origin::{
    Candidate, Origin, Pair, by_kubelogins_name, pairs, servers, shim_arguments, using,
};
pub use program::is_kubectl;
pub use server::{
    CertificateAuthority, ExecInfoError, ExecServer, OddAddress, ServerKey, from_exec_info,
};
pub use told::{Told, told, told_in_passing};
pub use tree::MAX_BYTES;
pub use widest::widest;
