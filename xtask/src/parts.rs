//! What each task does.

use std::fs;
use std::time::{Duration, Instant};

use crate::run::{command, exists, root, run, run_told};

/// A part of the tests.
struct Part {
    name: &'static str,
    run: fn() -> Result<Outcome, String>,
}

/// How a part that did not fail ended.
enum Outcome {
    Passed,
    /// Not to be run here, and why; only for parts that may be left out.
    LeftOut(&'static str),
}

const PARTS: [Part; 7] = [
    Part { name: "rustfmt", run: rustfmt },
    Part { name: "clippy", run: clippy },
    Part { name: "deny", run: deny },
    Part { name: "rust", run: rust },
    Part { name: "typescript", run: typescript },
    Part { name: "browser", run: browser },
    Part { name: "networks", run: networks },
];

/// Runs when it is named: another profile is another build of everything, with the whole program optimised at once.
const RELEASE: Part = Part { name: "release", run: release };

/// Runs all parts but the release build, or the one named.
///
/// # Errors
/// When a part fails; the others have been run all the same.
pub fn test(only: Option<&str>) -> Result<(), String> {
    let parts: Vec<_> = match only {
        None => PARTS.iter().collect(),
        Some(name) => PARTS.iter().chain([&RELEASE]).filter(|part| name == part.name).collect(),
    };
    if parts.is_empty() {
        return Err(format!("no such part; there are: {}, {}", PARTS.map(|part| part.name).join(", "), RELEASE.name));
    }
    let mut lines = Vec::new();
    let mut failed = 0;
    for part in &parts {
        println!("\n== {}", part.name);
        let start = Instant::now();
        let result = (part.run)();
        let line = match result {
            Ok(Outcome::Passed) => "passed".to_owned(),
            Ok(Outcome::LeftOut(why)) => format!("left out: {why}"),
            Err(message) => {
                failed += 1;
                format!("FAILED: {message}")
            }
        };
        println!("== {}: {}", part.name, line.lines().next().unwrap_or_default());
        lines.push(format!("  {:<11} {:>5}  {line}", part.name, seconds(start.elapsed())));
    }
    println!("\nParts:\n{}\n", lines.join("\n"));
    println!("{} passed, {failed} failed", parts.len() - failed);
    if failed > 0 { Err("some parts failed".to_owned()) } else { Ok(()) }
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs())
}

fn rustfmt() -> Result<Outcome, String> {
    run(&mut command("", "cargo", &["fmt", "--all", "--check"])).map(|()| Outcome::Passed)
}

fn clippy() -> Result<Outcome, String> {
    let args = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    run(&mut command("", "cargo", &args)).map(|()| Outcome::Passed)
}

fn deny() -> Result<Outcome, String> {
    if !exists("cargo", &["deny", "--version"]) {
        return Ok(Outcome::LeftOut("cargo-deny is not installed"));
    }
    run(&mut command("", "cargo", &["deny", "check", "bans", "licenses", "sources"])).map(|()| Outcome::Passed)
}

fn rust() -> Result<Outcome, String> {
    // `tests/prometheus.rs` runs both.
    for program in ["prometheus", "promtool"] {
        install_where_missing(program, "--version", "prometheus")?;
    }
    install_where_missing("strace", "--version", "strace")?;
    // Slow lines are made of these, in network namespaces.
    for program in ["ip", "tc"] {
        install_where_missing(program, "-V", "iproute2")?;
    }
    prepare_mail_server()?;
    run_told(&mut command("", "cargo", &["test", "--workspace", "--locked", "--no-fail-fast"]))
        .map(|()| Outcome::Passed)
}

fn typescript() -> Result<Outcome, String> {
    npm_ci("web")?;
    run(&mut command("web", "npm", &["run", "check"]))?;
    run(&mut command("web", "npm", &["test"]))?;
    Ok(Outcome::Passed)
}

fn browser() -> Result<Outcome, String> {
    prepare_browser()?;
    run(&mut command("tests/browser", "npm", &["run", "check"]))?;
    build_as_the_tests_do()?;
    run_told(&mut command("tests/browser", "npm", &["test"]))?;
    Ok(Outcome::Passed)
}

/// Leaves the server in target/debug. Cargo builds it for the integration tests; asked for by itself it would be built
/// once more with other features of the libraries.
fn build_as_the_tests_do() -> Result<(), String> {
    run(&mut command("", "cargo", &["test", "--workspace", "--locked", "--no-run"]))
}

/// Viewers and publishers behind bad lines.
fn networks() -> Result<Outcome, String> {
    install_where_missing("ip", "-V", "iproute2")?;
    build_as_the_tests_do()?;
    crate::net::test(None).map(|()| Outcome::Passed)
}

/// What README.md tells people to run, and one of the browser tests against it.
fn release() -> Result<Outcome, String> {
    run(&mut command("", "cargo", &["build", "--release", "--locked"]))?;
    let binary = root().join("target/release/dais");
    let mut test = command("tests/browser", "npm", &["test", "--", "room.spec.ts", "-g", "people on stage"]);
    run(test.env("DAIS_BIN", binary))?;
    Ok(Outcome::Passed)
}

/// Writes generated files.
///
/// # Errors
/// When a generator fails.
pub fn generate() -> Result<(), String> {
    let args = [
        "test",
        "--workspace",
        "--lib",
        "--test",
        "corpus",
        "--test",
        "stage_law",
        "--no-default-features",
        "--",
        "up_to_date",
    ];
    run(command("", "cargo", &args).env("DAIS_UPDATE_GENERATED", "1"))
}

/// Where Debian's package fonts-noto-color-emoji has its font.
const EMOJI: &str = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf";

/// Writes the pictures in docs/images.
///
/// # Errors
/// When the browser test that takes them fails.
pub fn pictures() -> Result<(), String> {
    prepare_browser()?;
    build_as_the_tests_do()?;
    // For reactions.
    if !std::path::Path::new(EMOJI).exists() {
        println!("there is no font with emoji: installing Debian's package fonts-noto-color-emoji");
        run(&mut privileged(&["install", "-qq", "-y", "fonts-noto-color-emoji"]))?;
    }
    let specs = [
        "screenshot.spec.ts",
        "layouts.spec.ts",
        "connectivity.spec.ts",
        "chat.spec.ts",
        "polls.spec.ts",
        "webinar.spec.ts",
        "mail.spec.ts",
        "presenting.spec.ts",
        "embedding.spec.ts",
        "viewers.spec.ts",
    ];
    let mut test = command("tests/browser", "npm", &[&["test", "--"], &specs[..]].concat());
    run(test.env("DAIS_UPDATE_GENERATED", "1"))
}

/// Installs what browser tests need.
///
/// # Errors
/// When npm or apt fails.
pub fn prepare_browser() -> Result<(), String> {
    prepare_chromium()?;
    prepare_mail_server()?;
    // A network without UDP is made with it.
    install_where_missing("ip", "-V", "iproute2")?;
    if std::env::var_os("DAIS_FIREFOX").is_none() {
        install_where_missing("/usr/bin/firefox-esr", "--version", "firefox-esr")?;
    }
    Ok(())
}

/// Installs Playwright, and a Chromium for it.
///
/// # Errors
/// When npm or apt fails.
pub fn prepare_chromium() -> Result<(), String> {
    npm_ci("tests/browser")?;
    if std::env::var_os("DAIS_CHROMIUM").is_none() {
        install_where_missing("/usr/bin/chromium", "--version", "chromium")?;
    }
    Ok(())
}

/// Installs the mail server that tests send invitations to, in an environment of its own.
fn prepare_mail_server() -> Result<(), String> {
    const REQUIREMENTS: &str = "tests/mail/requirements.txt";
    let modified = |path: &str| fs::metadata(root().join(path)).and_then(|meta| meta.modified()).ok();
    let installed = modified("target/venv/installed");
    if installed.is_some() && installed >= modified(REQUIREMENTS) {
        return Ok(());
    }
    // Debian keeps what makes environments in a package of its own.
    if !exists("python3", &["-c", "import ensurepip, venv"]) {
        run(&mut privileged(&["update", "-qq"]))?;
        run(&mut privileged(&["install", "-qq", "-y", "python3-venv"]))?;
    }
    run(&mut command("", "python3", &["-m", "venv", "--clear", "target/venv"]))?;
    let args = ["-m", "pip", "install", "--quiet", "--require-hashes", "-r", REQUIREMENTS];
    run(&mut command("", "target/venv/bin/python", &args))?;
    fs::write(root().join("target/venv/installed"), "").map_err(|error| error.to_string())
}

/// Installs Debian's package of a program that is not there: one that does not tell its version.
fn install_where_missing(program: &str, version: &str, package: &str) -> Result<(), String> {
    if exists(program, &[version]) {
        return Ok(());
    }
    println!("{program} is not there: installing Debian's package {package}");
    run(&mut privileged(&["update", "-qq"]))?;
    run(&mut privileged(&["install", "-qq", "-y", package]))
}

/// `apt-get`, with sudo for those who are not root.
fn privileged(args: &[&str]) -> std::process::Command {
    let root = exists("sh", &["-c", "test \"$(id -u)\" = 0"]);
    let mut apt = if root { command("", "apt-get", args) } else { command("", "sudo", &[&["apt-get"], args].concat()) };
    apt.env("DEBIAN_FRONTEND", "noninteractive");
    apt
}

/// Installs the packages of the lock file, unless they are there.
fn npm_ci(folder: &str) -> Result<(), String> {
    let modified = |path: &str| fs::metadata(root().join(folder).join(path)).and_then(|meta| meta.modified()).ok();
    let installed = modified("node_modules/.package-lock.json");
    if installed.is_some() && installed >= modified("package-lock.json") {
        return Ok(());
    }
    run(&mut command(folder, "npm", &["ci", "--no-audit", "--no-fund"]))
}
