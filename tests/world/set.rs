//! A set of trials: one binary, whose result `cargo xtask test` counts.

use std::env;
use std::fs;
use std::panic::{self, AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use serde::Serialize;

use crate::parts::{self, Missing};

/// Trials in the order in which they run, one after the other.
#[derive(Default)]
pub struct Set {
    trials: Vec<Trial>,
    results: Arc<Mutex<Results>>,
}

/// What `cargo xtask test` reads.
#[derive(Default, Serialize)]
struct Results {
    passed: u64,
    failed: Vec<Failure>,
    skipped: Vec<String>,
}

#[derive(Serialize)]
struct Failure {
    name: &'static str,
    why: String,
}

/// The last panic: where it was, and what it said.
static PANIC: Mutex<String> = Mutex::new(String::new());

impl Set {
    /// One without trials.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a trial. Where its error is a [`Missing`], it is skipped by name.
    pub fn trial(
        &mut self,
        name: &'static str,
        body: impl FnOnce() -> Result<()> + Send + 'static,
    ) {
        let results = Arc::clone(&self.results);
        let runner = move || {
            let outcome = catch_unwind(AssertUnwindSafe(body));
            let mut results = results.lock().unwrap();
            let error = match outcome {
                Ok(Ok(())) => {
                    results.passed += 1;
                    return Ok(Completion::Completed);
                }
                Ok(Err(error)) => error,
                Err(panic) => {
                    let why = std::mem::take(&mut *last_panic());
                    results.failed.push(Failure { name, why });
                    drop(results);
                    resume_unwind(panic)
                }
            };
            if let Some(missing) = error.downcast_ref::<Missing>()
                && !parts::required()
            {
                results.skipped.push(format!("{name}: {missing}"));
                return Ok(Completion::ignored_with(missing));
            }
            let why = format!("{error:#}");
            results.failed.push(Failure {
                name,
                why: why.clone(),
            });
            Err(Failed::from(why))
        };
        self.trials.push(Trial::ignorable_test(name, runner));
    }

    /// The names of its trials so far.
    pub fn names(&self) -> Vec<String> {
        let names = self.trials.iter().map(|trial| trial.name().to_owned());
        names.collect()
    }

    /// Runs those that the arguments select, and leaves what came of them where xtask looks.
    pub fn run(self) -> ExitCode {
        // xtask runs every crate's own tests by one command, and the sets by themselves later.
        if env::var_os("KUBEFOB_UNIT").is_some() {
            return ExitCode::SUCCESS;
        }
        // One provider of cryptography for all that speaks TLS; a second call finds it there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            *last_panic() = panic.to_string();
            report(panic);
        }));
        let mut arguments = Arguments::from_args();
        // They share a world, and some stop parts of it.
        arguments.test_threads = Some(1);
        let listing = arguments.list;
        let conclusion = libtest_mimic::run(&arguments, self.trials);
        if let Some(file) = env::var_os("KUBEFOB_RESULTS").filter(|_| !listing) {
            let results = serde_json::to_string(&*self.results.lock().unwrap()).unwrap();
            fs::write(file, results).expect("the file of KUBEFOB_RESULTS can be written");
        }
        conclusion.exit_code()
    }
}

fn last_panic() -> MutexGuard<'static, String> {
    PANIC.lock().unwrap_or_else(PoisonError::into_inner)
}
