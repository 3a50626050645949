//! The shim as it is shipped: it runs at every question of every tool, so how it is linked is part of what it is.

use std::path::PathBuf;

use anyhow::Result;

use crate::cache::Cache;
use crate::cargo::{cargo, host, succeed, target};
use crate::system;

/// Static, and at a fixed address: no loader, no relocation.
///
/// And without RELRO: it costs a call and a page fault at each start. What it would protect here is constant
/// tables of pointers, once somebody can write anywhere in a process that lives for a millisecond, has no unsafe
/// code outside of `os` and hears only a peer of its own user. Nothing is bound lazily.
const STATIC: &str = "-C target-feature=+crt-static -C relocation-model=static -C relro-level=off";

/// The compiler that links with musl.
const MUSL: &str = "musl-gcc";

/// What std for `linux-gnu` calls and musl has under another name, since it never had 32-bit file offsets: up to
/// 1.2.3 it has both names, later ones link the short one alone.
const LARGE_FILES: [&str; 8] = [
    "fstat", "fstatat", "lseek", "lstat", "mmap", "open", "readdir", "stat",
];

/// What std and the unwinder name and the shim never calls: how std would choose between two ways to start a
/// process (ours has `pre_exec`, which leaves one), and a faster search for the frames of a panic, which here
/// ends the process anyhow.
const UNUSED: [&str; 2] = ["gnu_get_libc_version", "_dl_find_object"];

/// Builds it, and returns where it is. RUSTFLAGS reach every crate of a build, hence a build of its own.
pub(crate) fn build() -> Result<PathBuf> {
    let triple = host()?;
    let folder = target().join("shim");
    let mut build = cargo();
    build.args(["build", "--profile", "shim", "--package", "kubectl-fob"]);
    build
        .args(["--target", &triple, "--target-dir"])
        .arg(&folder);
    if triple.ends_with("linux-gnu") {
        build.env("RUSTFLAGS", flags(&Cache::open()?));
    }
    succeed(&mut build)?;
    Ok(folder.join(triple).join("shim/kubectl-fob"))
}

/// With musl where it can be had. glibc asks the processor some thirty times who it is (CPUID) before `main`, in a
/// static program as in `/bin/true`: nothing on bare metal, half a millisecond in a virtual machine, which
/// traps each one. musl asks nothing. What the two pass to std has the same form: musl keeps to glibc's types.
fn flags(cache: &Cache) -> String {
    if let Some((_, why)) = system::missing(cache, |program| program == MUSL).pop() {
        eprintln!("shim: linked with glibc, which starts slower in a virtual machine ({why})");
        return STATIC.to_owned();
    }
    let mut flags = format!("{STATIC} -C linker={MUSL} -C link-self-contained=no");
    for name in LARGE_FILES {
        flags += &format!(" -C link-arg=-Wl,-u,{name},--defsym={name}64={name}");
    }
    for name in UNUSED {
        flags += &format!(" -C link-arg=-Wl,--defsym={name}=abort");
    }
    flags
}
