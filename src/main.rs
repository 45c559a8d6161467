//! `dais`: the server.

use std::io::{IsTerminal as _, Write as _, stderr, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use dais::journal::{self, Journal as _, SqliteJournal};
use dais::{Config, Server};
use dais_stage::Role;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// How long the links printed at the start are valid.
const LINKS_VALID: Duration = Duration::from_secs(24 * 60 * 60);

/// Libraries of the TURN server. They call what any stranger sends an error, with addresses of clients; the metrics count it.
const SILENT: [&str; 2] = ["stun_proto", "turn_server_proto"];

/// The command line.
#[derive(Debug, Parser)]
#[command(version, about, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(flatten)]
    config: Config,
    #[command(subcommand)]
    task: Option<Task>,
}

/// What can be done instead of running the server.
#[derive(Debug, Subcommand)]
enum Task {
    /// Print a room's journal: who did what, when.
    Journal {
        /// Id of the room; without one, the rooms are listed.
        room: Option<String>,
        /// Folder of the journal.
        #[arg(long, env = "DAIS_DATA", default_value = "dais-data")]
        data: PathBuf,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { config, task } = Cli::parse();
    let filter = EnvFilter::try_from_env("DAIS_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let filter = SILENT.into_iter().fold(filter, |filter, library| {
        filter.add_directive(format!("{library}=off").parse().expect("it is a directive"))
    });
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    if config.log_json {
        log.json().init();
    } else {
        log.with_ansi(stderr().is_terminal()).init();
    }
    let result = match task {
        None => run(&config).await,
        Some(Task::Journal { room, data }) => print_journal(&data, room.as_deref()).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    // A session is a file descriptor: take as many as the system gives.
    let files = rlimit::increase_nofile_limit(u64::MAX)?;
    tracing::debug!(files, "most open files");
    let server = Server::start(config).await?;
    if config.makes_demo() {
        server.open_room("demo", "Demo", config.settings()).await?;
        print_links(&server)?;
    }
    stop_signal().await?;
    server.stop().await;
    Ok(())
}

fn print_links(server: &Server) -> Result<(), Box<dyn std::error::Error>> {
    let mut text = "dais is running. Open these in browser windows:\n\n".to_owned();
    for (title, role) in [("Host", Role::Host), ("Speaker", Role::Speaker), ("Participant", Role::Participant)] {
        text += &format!("  {title:<12} {}\n", server.link("demo", role, LINKS_VALID)?);
    }
    if let Some(address) = server.metrics_address() {
        text += &format!("\nMetrics: http://{address}/metrics\n");
    }
    text += "\nThe links are valid for a day. Press Ctrl-C to stop.\n";
    print(&text);
    Ok(())
}

/// Prints for people. That nobody reads it is no reason to stop.
fn print(text: &str) {
    let mut out = stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Ctrl-C, or SIGTERM as service managers send it.
async fn stop_signal() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}

async fn print_journal(data: &Path, room: Option<&str>) -> Result<(), Box<dyn std::error::Error>> {
    let journal = SqliteJournal::open_to_read(data)?;
    match room {
        None => print(&journal.rooms().await?.iter().map(|room| format!("{room}\n")).collect::<String>()),
        Some(room) => {
            let records = journal.read(room, 0, usize::MAX).await?;
            if records.is_empty() {
                return Err(format!("the journal has no room {room}").into());
            }
            print(&journal::told(&records));
        }
    }
    Ok(())
}
