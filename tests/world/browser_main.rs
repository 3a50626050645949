//! `scripted-browser URL`: what a test puts in the place of the person's browser.

use std::process::ExitCode;

use world::browser::{Browser, Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: scripted-browser URL");
        return ExitCode::from(2);
    };
    let opened = async {
        Browser::new(Settings::from_environment())?
            .open(&address)
            .await
    };
    match opened.await {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("scripted-browser: {error:#}");
            ExitCode::FAILURE
        }
    }
}
