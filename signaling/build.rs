//! Builds the web client with npm into `OUT_DIR`, when the feature `client` is on and it changed.

use std::path::{Path, PathBuf};
use std::process::{Command, exit};
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_CLIENT").is_none() {
        return;
    }
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let web = manifest.parent().expect("the crate stands in the workspace").join("web");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("web");
    for input in ["src", "public", "index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"]
    {
        println!("cargo::rerun-if-changed={}", web.join(input).display());
    }
    install(&web);
    run(npm(&web).args(["run", "build", "--", "--emptyOutDir", "--outDir"]).arg(&out));
}

/// Installs the packages, unless those of the lock file are there.
fn install(web: &Path) {
    let modified = |path: PathBuf| fs::metadata(path).and_then(|meta| meta.modified()).ok();
    let installed = modified(web.join("node_modules/.package-lock.json"));
    let locked = modified(web.join("package-lock.json"));
    if installed.is_none() || installed < locked {
        run(npm(web).args(["ci", "--no-audit", "--no-fund"]));
    }
}

fn npm(web: &Path) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(web);
    command
}

fn run(command: &mut Command) {
    match command.output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            fail(&format!("{command:?} failed:\n{stdout}{stderr}"));
        }
        Err(error) => fail(&format!(
            "the web client is built with npm, which cannot be run: {error}\n\
             Install Node.js 20 or newer with npm (Debian: apt-get install nodejs npm), or build the server without \
             the client: cargo run --release --no-default-features"
        )),
    }
}

fn fail(message: &str) -> ! {
    message.lines().for_each(|line| println!("cargo::error={line}"));
    exit(1)
}
