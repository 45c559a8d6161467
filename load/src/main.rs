//! `dais-load`: see `dais-load --help`.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    ExitCode::from(dais_load::cli::Cli::parse().perform())
}
