//! `dais-line`: see `dais-line --help`.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;
use std::process::Command;

use clap::Parser;
use dais_line::{End, Script, emulate};

/// A line between two network namespaces: rate, queue, delay, jitter, loss and reordering, by a script.
///
/// Prints `ready` when it is up. A line `start` on standard input starts the script, the end of standard input ends it.
#[derive(Debug, Parser)]
#[command(name = "dais-line", version)]
struct Cli {
    /// Namespace of the near end.
    #[arg(long)]
    near: String,
    /// Its address there, such as 10.0.0.1/24.
    #[arg(long)]
    near_address: String,
    /// Namespace of the far end.
    #[arg(long)]
    far: String,
    /// Its address there.
    #[arg(long)]
    far_address: String,
    /// The script, a JSON file.
    #[arg(long)]
    script: PathBuf,
    /// Where to write what passed, a line of JSON every 100 ms.
    #[arg(long)]
    log: PathBuf,
}

fn main() -> io::Result<()> {
    let cli = Cli::parse();
    let script: Script = serde_json::from_slice(&fs::read(&cli.script)?)?;
    let near = end("n", &cli.near, &cli.near_address)?;
    let far = end("f", &cli.far, &cli.far_address)?;
    let mut log = BufWriter::new(File::create(&cli.log)?);
    let mut stdout = io::stdout();
    writeln!(stdout, "ready")?;
    stdout.flush()?;
    emulate(&near, &far, &script, &mut log)
}

/// Makes one end and puts it into its namespace.
fn end(which: &str, namespace: &str, address: &str) -> io::Result<End> {
    let name = format!("dl{which}{}", std::process::id());
    let end = End::new(&name)?;
    ip(&["link", "set", &name, "netns", namespace])?;
    ip(&["-n", namespace, "addr", "add", address, "dev", &name])?;
    ip(&["-n", namespace, "link", "set", &name, "mtu", "1500", "txqueuelen", "10000", "up"])?;
    Ok(end)
}

fn ip(args: &[&str]) -> io::Result<()> {
    let status = Command::new("ip").args(args).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("ip {} failed", args.join(" ")))) }
}
