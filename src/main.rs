//! `dais`: the server.

use std::io::{IsTerminal as _, stderr};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use dais::{Config, Server};
use dais_stage::Role;
use tracing_subscriber::EnvFilter;

/// How long the links printed at the start are valid.
const LINKS_VALID: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::main]
async fn main() -> ExitCode {
    let config = Config::parse();
    let filter = EnvFilter::try_from_env("DAIS_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    if config.log_json {
        log.json().init();
    } else {
        log.with_ansi(stderr().is_terminal()).init();
    }
    match run(&config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::start(config).await?;
    if config.makes_demo() {
        server.open_room("demo", "Demo", config.settings());
        print_links(&server)?;
    }
    tokio::signal::ctrl_c().await?;
    server.stop().await;
    Ok(())
}

fn print_links(server: &Server) -> Result<(), Box<dyn std::error::Error>> {
    println!("dais is running. Open these in browser windows:\n");
    for (title, role) in [("Host", Role::Host), ("Speaker", Role::Speaker), ("Participant", Role::Participant)] {
        println!("  {title:<12} {}", server.link("demo", role, LINKS_VALID)?);
    }
    println!("\nThe links are valid for a day. Press Ctrl-C to stop.");
    Ok(())
}
