//! Running commands from the root of the repository.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask stands in the workspace").to_owned()
}

/// A command to be run in `folder` below the root.
pub fn command(folder: &str, program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root().join(folder)).args(args);
    command
}

/// Runs a command with its output shown.
///
/// # Errors
/// When it cannot be run, or fails.
pub fn run(command: &mut Command) -> Result<(), String> {
    println!("$ {}", shown(command));
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{} failed: {status}", shown(command))),
        Err(error) => Err(format!("{} cannot be run: {error}", shown(command))),
    }
}

/// Lines kept of what a failed command printed: those that name a failure, and the last ones.
const KEPT: usize = 12;

/// Runs a command with its output shown, and says once more at its end what was said about a failure: what comes after
/// would bury it.
///
/// # Errors
/// When it cannot be run, or fails; with the lines that name what failed, and the last ones.
pub fn run_told(command: &mut Command) -> Result<(), String> {
    println!("$ {}", shown(command));
    let (status, told) = run_kept(command).map_err(|error| format!("{} cannot be run: {error}", shown(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed: {status}\n{told}", shown(command))) }
}

fn run_kept(command: &mut Command) -> io::Result<(ExitStatus, String)> {
    let (reader, writer) = io::pipe()?;
    let mut child = command.stdout(writer.try_clone()?).stderr(writer).spawn()?;
    // The command holds the writing end; reading ends when nobody does.
    command.stdout(Stdio::inherit()).stderr(Stdio::inherit());
    let (mut failures, mut last) = (VecDeque::new(), VecDeque::new());
    for line in BufReader::new(reader).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        println!("{line}");
        let named = ["FAILED", "panicked at", "Error:"].iter().any(|mark| line.contains(mark));
        let kept = if named { &mut failures } else { &mut last };
        kept.push_back(line);
        if kept.len() > KEPT {
            kept.pop_front();
        }
    }
    let told = failures.into_iter().chain(last).map(|line| format!("      {line}\n")).collect();
    Ok((child.wait()?, told))
}

/// Whether a program can be run.
pub fn exists(program: &str, args: &[&str]) -> bool {
    command("", program, args).output().is_ok_and(|output| output.status.success())
}

fn shown(command: &Command) -> String {
    let args = command.get_args().map(|arg| arg.to_string_lossy().into_owned());
    let program = command.get_program().to_string_lossy().into_owned();
    [program].into_iter().chain(args).collect::<Vec<_>>().join(" ")
}

/// Runs a command with its output shown, and tells its exit code, or none when a signal ended it.
///
/// # Errors
/// When it cannot be run.
pub fn run_status(command: &mut Command) -> Result<Option<i32>, String> {
    println!("$ {}", shown(command));
    let status = command.status().map_err(|error| format!("{} cannot be run: {error}", shown(command)))?;
    Ok(status.code())
}

/// What a command prints.
///
/// # Errors
/// When it cannot be run, or fails.
pub fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{} cannot be run: {error}", shown(command)))?;
    if !output.status.success() {
        return Err(format!("{} failed: {}", shown(command), output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
