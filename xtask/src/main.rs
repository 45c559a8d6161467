//! Tasks of the repository. `cargo xtask` lists them.

mod bench;
mod net;
mod parts;
mod run;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask test [PART]   install what tests need, then run every part of the tests, or one of them
cargo xtask bench [NAME] [--runs N] [--against REVISION]
                          print the benchmarks, or one of them: parts, sessions, browser, load, or a scenario of load;
                          with all of load, write docs/performance.md; with a revision, play them in turn with that one
cargo xtask net [--short] [CASE]
                          play every network, or those whose names begin so (up-: of publishers); with all of them, write docs/networks.md;
                          --short plays them for a shorter time, with what cargo test has built
cargo xtask gen           write generated files: TypeScript types, docs/metrics.md, fuzz seeds
cargo xtask pictures      write the pictures in docs/images";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["test"] => parts::test(None),
        ["test", part] => parts::test(Some(part)),
        ["bench", args @ ..] => bench::bench(args),
        ["net", "--short"] => net::test(None),
        ["net", "--short", only] => net::test(Some(only)),
        ["net"] => net::net(None),
        ["net", only] => net::net(Some(only)),
        ["gen"] => parts::generate(),
        ["pictures"] => parts::pictures(),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
